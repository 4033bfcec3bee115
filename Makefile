# The front door: `make help` says what there is. Settings of `make run`, with their defaults:
LISTEN ?= 127.0.0.1:3000
DATA   ?= data
DEMO   ?= 1
HISTORY ?= 1
LABS   ?= pretend

.DEFAULT_GOAL := help
.PHONY: help run site check test bench screens dist

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  Settings of make run: LISTEN=$(LISTEN) DATA=$(DATA) DEMO=$(DEMO) HISTORY=$(HISTORY) LABS=$(LABS)"

run: ## Build everything and serve it; Ctrl-C stops it, and a second run finds everything as it was
	@.ci/need rust
	@.ci/need wasm
	@echo "Building the browser's half (minutes the first time, seconds after that)"
	@cargo run --locked -p site
	@echo "Building the server"
	@cargo build --locked -p server
	@LECTERN_DEMO_HISTORY=$(HISTORY) exec target/debug/lectern serve --listen $(LISTEN) --data $(DATA) --site-root target/site --labs $(LABS) $(if $(filter 1 yes true,$(DEMO)),--demo,--no-demo)

site: ## Build only the browser's half into target/site
	@.ci/need rust
	@.ci/need wasm
	@cargo run --locked -p site

check: ## Format, lints on both sides, docs, licences, size of what the browser is sent
	@.ci/check

test: ## Everything that proves it: Rust tests on both databases, browser tests
	@.ci/test

dist: ## Build what is shipped: one file with the site inside, target/dist/lectern, and its checksum
	@.ci/need rust
	@.ci/need wasm
	@cargo run --locked -p site -- --profile wasm --no-design --out target/dist/site
	@cargo run --quiet --locked -p site -- wasm-tree --profile wasm --no-design
	@cargo run --quiet --locked -p site -- budget --max-kb 380 --max-lazy-kb 800 --out target/dist/site
	@LECTERN_EMBED="$(CURDIR)/target/dist/site" cargo build --locked --release -p server --no-default-features --features embed
	@cp target/release/lectern target/dist/lectern
	@cd target/dist && { command -v sha256sum >/dev/null && sha256sum lectern || shasum -a 256 lectern; } | tee lectern.sha256

bench: ## How fast and how large it is, beside its peers, into docs/performance.md: 15 minutes; ONLY=starts, QUICK=1
	@.ci/bench

screens: ## Take the pictures of every page into docs/screens
	@SCREENS=../docs/screens ONLY=browser .ci/test
