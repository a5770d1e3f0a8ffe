#!/usr/bin/env bash
# Measures the engines on this machine and prints each figure beside its peer's.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need_cargo
[ $# -gt 0 ] || set -- orders
bash scripts/assets.sh
step "Building with optimisation. 构建优化版本"
cargo build --release -p xiyang
step "Measuring; leave the machine alone meanwhile. 测量中，请勿同时运行其他任务"
"${CARGO_TARGET_DIR:-target}/release/xiyang" bench "$@"
step "Done. 完成"
