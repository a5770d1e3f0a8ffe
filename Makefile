# What one can do here, one word each. 常用命令。
.PHONY: help demo test check bench assets test-long setup

help: ## This list. 列出命令
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

demo: ## Build everything and open a simulated city of 20,000 people. 构建并启动演示城市
	@bash scripts/demo.sh

test: ## Install what the tests need, run checks, all tests and the browser journeys. 全部检查和测试
	@bash scripts/test.sh

check: ## Format, clippy, docs and the tidy rules; changes nothing. 只检查，不改动
	@bash scripts/check.sh

bench: ## Measure each engine beside its peers. 性能对比
	@bash scripts/bench.sh

assets: ## Build styles, scripts and icons into crates/web/dist. 构建页面资源
	@bash scripts/assets.sh

test-long: ## The slow proofs: crash loops, long rehearsals, large plans. 长时间测试
	@bash scripts/test-long.sh

setup: ## Install the tools the tests use (needs root for apt). 安装测试工具
	@bash scripts/setup.sh
