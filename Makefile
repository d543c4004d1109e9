# 'make help' lists the targets. Everything needs Go, git and make alone; terraform is found or downloaded.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.11.4
GOVULNCHECK   := golang.org/x/vuln/cmd/govulncheck@v1.1.4
PLATFORMS     := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## the whole system on this machine: stack, apply, three changes, the handler's log, destroy
	@go run ./tools/demo

.PHONY: build
build: ## build gen into bin/
	go build -trimpath -o bin/gen ./cmd/gen

.PHONY: provider
provider: ## make the AWS provider available where the Terraform registry is not (half an hour, once a machine)
	@go run ./tools/provider

.PHONY: test
test: ## all tests, race detector on
	go vet ./...
	go test -race -timeout 14m ./...

.PHONY: bench
bench: ## the benchmarks that back a goal
	go test -run '^$$' -bench . -benchmem ./runtime/... ./internal/...

.PHONY: verify
verify: test generated lint vulnerabilities platforms ## test, linters, vulnerabilities, regenerate without a diff, every platform

.PHONY: generated
generated: ## regenerate the reference project: there must be no diff
	go run ./cmd/gen generate --check
	go mod tidy -diff
	git diff --exit-code -- generated gen.lock gen.schema.json

.PHONY: lint
lint: ## gofmt and golangci-lint
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$unformatted" || { echo "gofmt: $$unformatted"; exit 1; }
	go run $(GOLANGCI_LINT) run ./...

.PHONY: vulnerabilities
vulnerabilities: ## known vulnerabilities in what we call
	go run $(GOVULNCHECK) ./...

.PHONY: platforms
platforms: ## build gen for every platform
	@for p in $(PLATFORMS); do echo "build $$p"; GOOS=$${p%/*} GOARCH=$${p#*/} CGO_ENABLED=0 go build -trimpath -o /dev/null ./cmd/gen; done
