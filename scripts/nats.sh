#!/usr/bin/env bash
# Prints the path of a nats-server that can be told to sync each message
# (2.10 or newer). Where the installed one is older, a package of Debian 13 is
# unpacked into target/tools; it is one file that needs nothing else.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

package=nats-server_2.10.27-1+b2_amd64.deb
sha256=6d913ac987b78734c08537c2adeb1526cf735f216173a9170d94b185fcfe6f8a
here=${CARGO_TARGET_DIR:-target}/tools/nats

can_sync() { # can_sync PROGRAM: whether it knows the setting
  printf 'jetstream { sync_interval: always }\n' >"$here.conf"
  "$1" -t -c "$here.conf" >/dev/null 2>&1
}

mkdir -p "$(dirname "$here")"
for program in "${XIYANG_NATS_SERVER:-/none}" "$(command -v nats-server || true)" /usr/sbin/nats-server "$here/usr/sbin/nats-server"; do
  if [ -x "$program" ] && can_sync "$program"; then
    realpath "$program"
    exit 0
  fi
done
step "The nats-server here is older than 2.10: unpacking a newer one into $here. 下载较新的 nats-server" >&2
curl -sSfL --max-time 300 -o "$here.deb" "https://deb.debian.org/debian/pool/main/n/nats-server/$package" ||
  stop "Could not fetch $package from deb.debian.org: set XIYANG_NATS_SERVER to a nats-server 2.10 or newer. 下载失败，请设置 XIYANG_NATS_SERVER。"
printf '%s  %s\n' "$sha256" "$here.deb" | sha256sum --check --quiet - >&2 ||
  stop "$package is not the file that was expected: set XIYANG_NATS_SERVER to a nats-server 2.10 or newer. 文件校验不符。"
mkdir -p "$here"
dpkg-deb --extract "$here.deb" "$here"
can_sync "$here/usr/sbin/nats-server" ||
  stop "The unpacked nats-server does not start here: set XIYANG_NATS_SERVER to one that does. 无法运行，请设置 XIYANG_NATS_SERVER。"
realpath "$here/usr/sbin/nats-server"
