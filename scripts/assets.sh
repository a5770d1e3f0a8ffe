#!/usr/bin/env bash
# Builds styles, scripts and icons into crates/web/dist. Packages are fetched
# only when the lock file has changed since the last time.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need_node
lock=$(cksum <package-lock.json)
if [ "$(cat node_modules/.xiyang-lock 2>/dev/null || true)" != "$lock" ]; then
  step "Fetching the front-end packages of package-lock.json. 下载前端依赖"
  npm ci --no-audit --no-fund --loglevel=error ||
    stop "npm ci failed: it needs the npm registry (or a mirror: npm config set registry …). 下载失败，请检查网络或 npm 镜像。"
  printf '%s' "$lock" >node_modules/.xiyang-lock
fi
step "Building styles, scripts and icons. 构建页面资源"
node scripts/assets.mjs
