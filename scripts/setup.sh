#!/usr/bin/env bash
# Installs what the tests use and the program itself does not: a browser, a
# Chinese font, PostgreSQL, NATS, Mosquitto. With root on Debian or Ubuntu by apt; otherwise it
# says in a sentence what is missing. Safe to run twice; quick when all is there.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

missing=()
want() { # want PACKAGE REASON: remember what apt should bring
  missing+=("$1")
  step "Missing: $2 (Debian package $1). 缺少：$1"
}

find_chromium >/dev/null || want chromium "a Chromium browser for the journeys through the pages"
if ! command -v fc-list >/dev/null || [ -z "$(fc-list :lang=zh 2>/dev/null | head -1)" ]; then
  want fonts-noto-cjk "a Chinese font, without which the pictures show empty boxes"
fi
find_postgres >/dev/null || want postgresql "PostgreSQL 15 or newer, because every test of the store runs on both databases"
# Servers live outside the ordinary path of those who are not root.
server() { command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ]; }
server nats-server || want nats-server "a NATS server, which the program reads devices from in a test"
server mosquitto || want mosquitto "an MQTT broker, which the program reads devices from in a test"
command -v mosquitto_pub >/dev/null || want mosquitto-clients "an MQTT client that is not ours"

if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    step "Installing with apt: ${missing[*]}. 正在安装"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq || stop "apt-get update failed: the tests need the network once to install ${missing[*]}. 无法更新软件源，请检查网络。"
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
      stop "apt-get could not install ${missing[*]}: install them by hand and run this again. 安装失败，请手动安装后重试。"
    find_chromium >/dev/null || stop "Chromium is still missing after the installation: set CHROMIUM to its path. 仍找不到 Chromium，请设置 CHROMIUM。"
    find_postgres >/dev/null || stop "PostgreSQL 15 or newer is still missing after the installation: set XIYANG_PG_BIN to the folder of initdb. 仍找不到 PostgreSQL 15+，请设置 XIYANG_PG_BIN。"
  else
    stop "Please install: ${missing[*]} (Debian: sudo apt-get install ${missing[*]}), then run this again. 请先安装以上软件。"
  fi
fi
if ! cargo nextest --version >/dev/null 2>&1; then
  step "cargo-nextest is not here; the tests run with plain cargo test, which is slower ('cargo install cargo-nextest --locked' brings it). 可选：安装 cargo-nextest"
fi
step "The test tools are here: $(find_chromium), PostgreSQL in $(find_postgres). 测试工具齐备"
