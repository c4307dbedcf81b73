# What can be made here: run `make`. Needs Debian (or g++, Node.js 18 or newer, npm and PostgreSQL 15 or newer from elsewhere) and Go; see .ci/need.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

export CGO_ENABLED := 1

# Reference data and yardsticks, where they are beside this checkout; .ci/run requires the first.
BOLE_REFDATA := $(abspath $(or $(BOLE_REFDATA),$(wildcard ../shared/data)))
BOLE_BENCH := $(abspath $(or $(BOLE_BENCH),$(wildcard ../shared/bench)))
ifneq ($(BOLE_REFDATA),)
export BOLE_REFDATA
endif
ifneq ($(BOLE_BENCH),)
export BOLE_BENCH
endif

script := internal/web/assets/dist/bole.js
fetched := web/node_modules/.package-lock.json
sources := $(filter-out %_test.js,$(wildcard web/src/*.js))
# .ci/tally is named: ./... passes over folders with a leading dot.
packages := ./... ./.ci/tally

.NOTPARALLEL:
.PHONY: help demo tools databases build assets test test-full lint clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "  make %-10s %s\n", $$1, $$2 }'

demo: tools build ## a synthetic city, built, loaded, screened and served; installs what is missing
	bin/bole demo

tools:
	@.ci/need go g++ node npm

databases: # both, so that no test of one is skipped
	@.ci/need postgresql

build: assets ## bin/bole
	go build -o bin/bole ./cmd/bole

assets: $(script) ## the script of the pages, bundled from web/

$(script): $(sources) web/package.json $(fetched)
	cd web && npm run --silent build

# Exactly what the lock file says, and no script of a package is run.
$(fetched): web/package-lock.json
	cd web && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

# The tests of the script and of the program are one stream, so that their sum is one line; the second run even when the first fail.
test: tools databases lint build ## everything that .ci/run runs; a skipped test is a failure
	{ bad=0; npm --prefix web --silent test || bad=1; go test -json $(GOTESTFLAGS) $(packages) || bad=1; exit $$bad; } | go run ./.ci/tally

test-full: ## test with the long fuzz and kill runs, then the benchmarks against their bars
	BOLE_FULL=1 $(MAKE) --no-print-directory test GOTESTFLAGS='-timeout 120m'
	bin/bole bench

lint: assets ## gofmt, go vet, staticcheck
	@unformatted=$$(find . \( -name node_modules -o -name .git -o -name testdata \) -prune -o -name '*.go' -print | xargs gofmt -l); \
	if [ -n "$$unformatted" ]; then echo "Not as gofmt writes it:" $$unformatted >&2; exit 1; fi
	go vet $(packages)
	go tool staticcheck $(packages)

clean: ## remove what was built here; a home (bole-home) is left alone
	rm -rf bin web/node_modules $(script)
