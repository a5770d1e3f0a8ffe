#!/usr/bin/env bash
# Everything: tools, checks, the Rust tests on both databases, the journeys
# through the real pages in a real browser. The last line counts it all.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need_cargo
need_node
bash scripts/setup.sh
XIYANG_PG_BIN=$(find_postgres)
CHROMIUM=$(find_chromium)
export XIYANG_PG_BIN CHROMIUM

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
passed=0
failed=0

# part NAME COMMAND…: runs it, shows its output, and adds up the last "N passed" and "N failed" in it.
part() {
  local name=$1 log="$logs/part" status=0 good bad
  shift
  step "$name"
  "$@" 2>&1 | tee "$log" || status=$?
  good=$(counts passed "$log")
  bad=$(counts failed "$log")
  # A part that dies before it can count is one failure, never none.
  if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
  passed=$((passed + good))
  failed=$((failed + bad))
}

# counts WORD FILE: the sum over all summary lines of a part.
counts() {
  # Colours are stripped first; `test result:` lines of cargo test add up, nextest and our own runners end with one.
  sed 's/\x1b\[[0-9;]*m//g' "$2" |
    { grep -E '^ *(test result:|Summary \[|journeys:|islands:|alarms:|\[[0-9:]+\] checks:)' || true; } |
    { grep -oE "[0-9]+ $1" || true; } | awk '{ sum += $1 } END { print sum + 0 }'
}

rust_tests() {
  if cargo nextest --version >/dev/null 2>&1; then
    # "no tests" is no failure while a crate is young.
    cargo nextest run --workspace --no-fail-fast --no-tests=pass
  else
    cargo test --workspace --all-targets --no-fail-fast
  fi
}

part "Checks. 检查" bash scripts/check.sh
part "Rust tests. 单元与集成测试" rust_tests
part "Examples in the documentation. 文档示例" cargo test --workspace --doc --quiet --no-fail-fast
part "The page scripts against a server that fails. 页面脚本" node tests/browser/islands.mjs
part "The program for the journeys. 构建程序" cargo build -p xiyang
part "Journeys through the pages in Chromium. 浏览器流程" node tests/browser/run.mjs
part "A night at the alarm desk, with the server killed. 告警台值一夜班" node tests/browser/alarms.mjs

step "Done. 完成"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
