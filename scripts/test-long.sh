#!/usr/bin/env bash
# The slow proofs, which the ordinary tests mark as ignored: crash loops, long
# rehearsals of the city, large dispatch instances. Takes an hour or more.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need_cargo
bash scripts/setup.sh
XIYANG_PG_BIN=$(find_postgres)
export XIYANG_PG_BIN
bash scripts/assets.sh
XIYANG_NATS_SERVER=$(bash scripts/nats.sh)
export XIYANG_NATS_SERVER
step "Running the tests that are marked as ignored, with optimisation. 长时间测试"
if cargo nextest --version >/dev/null 2>&1; then
  cargo nextest run --workspace --release --run-ignored only --no-fail-fast --no-tests=pass
else
  cargo test --workspace --release --no-fail-fast -- --ignored
fi
step "Decoders under noise, ten minutes each. 解码器随机测试"
XIYANG_NOISE_SECONDS=${XIYANG_NOISE_SECONDS:-600} XIYANG_NOISE_SEED=${XIYANG_NOISE_SEED:-$(date +%s)} \
  cargo test --release -p domain --test noise -- --nocapture --test-threads=1
step "Done. 完成"
