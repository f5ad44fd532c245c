.DEFAULT_GOAL := help
.PHONY: help test race lint tidy interop windows packages wheels snapshot fuzz bench bench-check soak ci

fuzztime ?= 500000x
rounds ?= 20

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 13

test: ## run the tests
	go test ./...

race: ## run the tests with the race detector
	go test -race ./...

lint: ## gofmt, go mod tidy, go vet for every system, and staticcheck
	.ci/run lint

tidy: ## run go mod tidy in every module: the others follow what the root requires
	@for mod in $$(git ls-files go.mod '*/go.mod'); do (cd "$$(dirname "$$mod")" && go mod tidy) || exit 1; done

interop: ## run the tests against real programs, installing what is missing
	interop/run

windows: ## run the tests built for Windows under Wine, installing what is missing
	interop/windows/test

packages: ## build the packages and try them, installing what is missing
	.ci/run packages

wheels: ## build the wheels of all systems in dist/wheels
	mkdir -p dist/wheels
	cd deploy/packages && go run ./wheel ../../dist/wheels

snapshot: ## build all of a release but the SBOMs in dist, and publish nothing
	"$$(deploy/packages/goreleaser)" release --snapshot --clean --skip=sbom,publish,announce

fuzz: ## run each fuzz target on that many inputs (fuzztime=500000x)
	fuzztime=$(fuzztime) .ci/run fuzz

bench: ## measure beside the peers, print it, and write docs/speed.md (rounds=20)
	cd bench && go run ./report -rounds $(rounds)

bench-check: ## fail if a ratio, or what is allocated, is worse than when bench ran last
	cd bench && go run ./report -rounds $(rounds) -check

soak: ## run the long tests at full size, those with real programs and under Wine too
	SHSESSION_SOAK=1 go test -count=1 -timeout 3h ./...
	SHSESSION_SOAK=1 SHSESSION_INTEROP=required interop/run -timeout 3h
	SHSESSION_SOAK=1 interop/windows/test

ci: ## run all that a change has to pass
	.ci/run
