#!/usr/bin/env bash
# What must hold before a change is shown to anyone. Changes nothing. Every check
# runs even when one before it fails, so that one run tells everything.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need_cargo
bash scripts/assets.sh

passed=0
failed=()
check() { # check NAME COMMAND…
  local name=$1
  shift
  step "$name"
  if "$@"; then passed=$((passed + 1)); else failed+=("$name"); fi
}

check "Formatting (cargo fmt --check). 格式" cargo fmt --all --check
check "Lints (cargo clippy, warnings fail). 静态检查" cargo clippy --workspace --quiet -- -D warnings
# A test may unwrap: that is how it fails.
check "Lints of the tests. 测试的静态检查" cargo clippy --workspace --all-targets --quiet -- -D warnings -A clippy::unwrap_used -A clippy::allow_attributes
check "Documentation (cargo doc, warnings fail). 文档" env RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet
check "Rules of this house (xtask tidy). 本项目规则" cargo run --quiet -p xtask -- tidy
check "Types of the page scripts (tsc). 脚本类型" node_modules/.bin/tsc --project assets/tsconfig.json
if command -v shellcheck >/dev/null; then
  check "Shell scripts (shellcheck). 脚本检查" shellcheck -x -P SCRIPTDIR scripts/*.sh .ci/run
else
  step "shellcheck is not here and is left out ('apt-get install shellcheck' brings it)."
fi

for name in "${failed[@]}"; do printf '  failed: %s\n' "$name"; done
step "checks: $passed passed, ${#failed[@]} failed"
[ ${#failed[@]} -eq 0 ]
