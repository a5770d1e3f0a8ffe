#!/usr/bin/env bash
# From a fresh clone to a city one can walk through, with one command.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need_cargo
need_node
command -v cc >/dev/null ||
  stop "A C compiler is needed to build the embedded database: install it with 'apt-get install build-essential'. 需要 C 编译器。"
bash scripts/assets.sh
step "Building the program; the first time takes some minutes. 构建程序，首次需要几分钟"
cargo build --release -p xiyang
step "Opening a simulated city of 20,000 people. 启动演示城市"
exec "${CARGO_TARGET_DIR:-target}/release/xiyang" demo --pack kaifeng --people 20000 --seed 7 "$@"
