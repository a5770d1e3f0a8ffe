# shellcheck shell=bash
# Shared by the scripts beside it: say what happens, how long it has taken, and
# end with a sentence that tells what to install. Source it, do not run it.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

started=$SECONDS

# step TEXT: a line of progress with the elapsed time.
step() {
  local past=$((SECONDS - started))
  printf '[%02d:%02d] %s\n' $((past / 60)) $((past % 60)) "$*"
}

# stop TEXT: end with a sentence that says what to do.
stop() {
  printf '\n%s\n' "$*" >&2
  exit 1
}

need_node() {
  command -v node >/dev/null && command -v npm >/dev/null ||
    stop "Node.js 20 or newer with npm is needed to build the pages' styles and scripts: install it with 'apt-get install nodejs npm' or from https://nodejs.org. 需要 Node.js 20 以上。"
  local major
  major=$(node -p 'process.versions.node.split(".")[0]')
  [ "$major" -ge 20 ] || stop "Node.js here is version $major, 20 or newer is needed. 请升级 Node.js 到 20 以上。"
}

need_cargo() {
  command -v cargo >/dev/null ||
    stop "Rust 1.95 or newer is needed: install it with rustup from https://rustup.rs, then open a new shell. 需要 Rust 1.95 以上。"
}
