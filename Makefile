# 'make help' lists the targets. Everything needs Go, git and make alone; terraform is found or downloaded.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.13.1
GOVULNCHECK   := golang.org/x/vuln/cmd/govulncheck@v1.8.0
CLIENTS       := internal/local/conformance/testdata/clients
DIFFERENTIAL  := internal/local/conformance/differential
REFERENCE_PORT := 4568
PLATFORMS     := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## the whole system on this machine: stack, apply, three changes, the handler's log, destroy
	@go run ./tools/demo

.PHONY: build
build: ## build gen into bin/
	go build -trimpath -o bin/gen ./cmd/gen

.PHONY: provider
provider: ## make the AWS provider available where the Terraform registry is not (half an hour, once a machine)
	@go run ./tools/provider

.PHONY: opentofu
opentofu: ## build OpenTofu, which tests then run with beside terraform (ten minutes, once a machine)
	@go run ./tools/provider -opentofu

.PHONY: test
test: ## all tests, race detector on
	go vet ./...
	cd examples && go vet ./... && go test ./...
	cd tools/sonicbench && go vet ./...
	go test -race -timeout 20m ./...

.PHONY: bench
bench: ## the benchmarks that back a goal: one line each, ratio NAME VALUE goal GOAL
	@go run ./tools/bench

.PHONY: bench-apply
bench-apply: ## gen apply against the same terraform commands by hand, many stacks, many handlers: a ratio each (an hour)
	@go run ./tools/benchapply

.PHONY: bench-local
bench-local: ## the local stack's start, a function's cold start, mappings, a stack without work, operations through the SDK at 1, 8 and 64 clients, and engine: a ratio or value each
	@missed=0; go run ./tools/bench stack-start cold-start-overhead mapping idle engine || missed=1; go run ./tools/benchlocal || missed=1; exit $$missed

.PHONY: clients
clients: ## the local stack with AWS's SDKs for JavaScript (npm) and Python (boto3), and with dynamodb-admin; says what it goes without
	@dir=$${XDG_CACHE_HOME:-$$HOME/.cache}/streamgen/clients; mkdir -p "$$dir"; \
	if command -v node >/dev/null && command -v npm >/dev/null; then \
		cp $(CLIENTS)/package.json $(CLIENTS)/package-lock.json "$$dir"; \
		npm ci --prefix "$$dir" --ignore-scripts --no-audit --no-fund --loglevel error; \
		export STREAMGEN_NODE_MODULES="$$dir/node_modules"; \
	else echo "clients: NOT RUN in JavaScript, there is no node with npm"; fi; \
	if python3 -c 'import boto3' 2>/dev/null; then export STREAMGEN_PYTHON=python3; \
	else echo "clients: NOT RUN in Python, there is no python3 with boto3"; fi; \
	go test -count 1 -v -run 'TestForeignClients|TestDynamoDBAdmin' ./internal/local/conformance

.PHONY: differential
differential: ## random requests, STREAMGEN_REQUESTS of them from STREAMGEN_SEED on, to the local stack and to dynalite, which npm installs: the answers are compared
	@if ! command -v node >/dev/null || ! command -v npm >/dev/null; then echo "differential: NOT RUN, there is no node with npm"; exit; fi; \
	dir=$${XDG_CACHE_HOME:-$$HOME/.cache}/streamgen/reference; mkdir -p "$$dir"; \
	cp $(DIFFERENTIAL)/testdata/reference/package.json $(DIFFERENTIAL)/testdata/reference/package-lock.json "$$dir"; \
	npm ci --prefix "$$dir" --ignore-scripts --no-audit --no-fund --loglevel error; \
	(trap 'kill $$child; exit' TERM; while :; do \
		node "$$dir/node_modules/dynalite/cli.js" --port $(REFERENCE_PORT) --createTableMs 0 --updateTableMs 0 --deleteTableMs 0 >/dev/null 2>&1 & child=$$!; \
		wait $$child || true; done) & loop=$$!; trap 'kill $$loop' EXIT; \
	STREAMGEN_REFERENCE_ENDPOINT=http://127.0.0.1:$(REFERENCE_PORT) go test -count 1 -timeout 120m -v -run TestDifferential ./$(DIFFERENTIAL)

.PHONY: verify
verify: test opentofu long stops kills million waits cases generated lint vulnerabilities platforms ## test, the slow tests, linters, vulnerabilities, regenerate without a diff, every platform

.PHONY: long
long: ## the tests that take too long for every run: all conversations, all examples, OpenTofu where it is built
	STREAMGEN_LONG=1 go test -count 1 -timeout 60m -run 'TestScript|TestExamples|TestBinaries|TestApplySurvivesKill' ./cmd/gen
	STREAMGEN_LONG=1 go test -count 1 -timeout 60m -run TestInterrupt ./tools/demo

.PHONY: stops
stops: ## fifty applies are killed and interrupted at random points
	STREAMGEN_STOPS=50 go test -count 1 -timeout 60m -run TestApplySurvivesRandomStops ./cmd/gen

.PHONY: kills
kills: ## a local stack with a data folder is killed a hundred times under load, and must have lost nothing
	STREAMGEN_KILLS=100 go test -count 1 -timeout 20m -run TestKillsLoseNothing -v ./cmd/gen

.PHONY: million
million: ## a million records through a mapping whose function, shards and process fail at random: each must be accounted for
	STREAMGEN_RECORDS=1000000 go test -count 1 -timeout 60m -run TestAccountedFor -v ./internal/local

.PHONY: waits
waits: ## apply and destroy once with the AWS provider's own waits
	STREAMGEN_WITH_WAITS=1 go test -count 1 -run 'TestScript/waits' ./cmd/gen

.PHONY: cases
cases: ## apply every case of the renderer to the local stack, or see it refused by name
	STREAMGEN_WITH_CASES=1 go test -count 1 -timeout 14m -run TestCasesOnTheLocalStack ./cmd/gen

.PHONY: generated
generated: ## regenerate the reference project: there must be no diff
	go run ./cmd/gen generate --check
	go mod tidy -diff
	cd examples && go mod tidy -diff
	git diff --exit-code -- generated gen.lock gen.schema.json

.PHONY: lint
lint: ## gofmt and golangci-lint
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$unformatted" || { echo "gofmt: $$unformatted"; exit 1; }
	go run $(GOLANGCI_LINT) run ./...
	cd examples && go run $(GOLANGCI_LINT) run --config ../.golangci.yml ./...

.PHONY: vulnerabilities
vulnerabilities: ## known vulnerabilities in what we call; says so where the database is out of reach
	@out=$$(go run $(GOVULNCHECK) ./... 2>&1) && echo "$$out" || { \
		if grep -q 'fetching vulnerabilities' <<<"$$out"; then echo "vulnerabilities: NOT CHECKED, the database is out of reach: $$out"; \
		else echo "$$out"; exit 1; fi; }

.PHONY: platforms
platforms: ## build gen for every platform
	@for p in $(PLATFORMS); do echo "build $$p"; GOOS=$${p%/*} GOARCH=$${p#*/} CGO_ENABLED=0 go build -trimpath -o /dev/null ./cmd/gen; done
