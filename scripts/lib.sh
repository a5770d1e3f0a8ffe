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
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    stop "Node.js 20 or newer with npm is needed to build the pages' styles and scripts: install it with 'apt-get install nodejs npm' or from https://nodejs.org. 需要 Node.js 20 以上。"
  fi
  local major
  major=$(node -p 'process.versions.node.split(".")[0]')
  [ "$major" -ge 20 ] || stop "Node.js here is version $major, 20 or newer is needed. 请升级 Node.js 到 20 以上。"
}

need_cargo() {
  command -v cargo >/dev/null ||
    stop "Rust 1.95 or newer is needed: install it with rustup from https://rustup.rs, then open a new shell. 需要 Rust 1.95 以上。"
}

# find_chromium: prints the path of a Chromium, or fails.
find_chromium() {
  if [ -n "${CHROMIUM:-}" ]; then
    [ -x "$CHROMIUM" ] || return 1
    printf '%s\n' "$CHROMIUM"
    return 0
  fi
  command -v chromium || command -v chromium-browser || command -v google-chrome
}

# find_postgres: prints the folder of the newest initdb that is 15 or newer, or fails.
find_postgres() {
  local folder version folders
  mapfile -t folders < <(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV)
  if command -v initdb >/dev/null; then folders+=("$(dirname "$(command -v initdb)")"); fi
  for folder in "${XIYANG_PG_BIN:-/none}" "${folders[@]}"; do
    if [ -x "$folder/initdb" ]; then
      version=$("$folder/initdb" --version | grep -oE '[0-9]+' | head -1)
      if [ "$version" -ge 15 ]; then
        printf '%s\n' "$folder"
        return 0
      fi
    fi
  done
  return 1
}
