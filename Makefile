.DEFAULT_GOAL := help
.PHONY: help test race lint interop packages fuzz bench bench-check soak ci

fuzztime ?= 1m
rounds ?= 20

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 13

test: ## run the tests
	go test ./...

race: ## run the tests with the race detector
	go test -race ./...

lint: ## gofmt, go mod tidy, go vet for every system, and staticcheck
	.ci/run lint

interop: ## run the tests against real programs, installing what is missing
	interop/run

packages: ## build the packages and try them, installing what is missing
	.ci/run packages

fuzz: ## run each fuzz target for a while (fuzztime=1m)
	fuzztime=$(fuzztime) .ci/run fuzz

bench: ## measure beside the peers, print it, and write docs/speed.md (rounds=20)
	cd bench && go run ./report -rounds $(rounds)

bench-check: ## fail if a ratio, or what is allocated, is worse than when bench ran last
	cd bench && go run ./report -rounds $(rounds) -check

soak: ## run the long tests at full size, those with real programs too
	SHSESSION_SOAK=1 go test -count=1 -timeout 3h ./...
	SHSESSION_SOAK=1 SHSESSION_INTEROP=required interop/run -timeout 3h

ci: ## run all that a change has to pass
	.ci/run
