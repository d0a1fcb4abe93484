# The two commands: `make demo` and `make test`. Both work from a clean clone with Node 20.17 or newer and npm alone.
.PHONY: demo test check format build bench compiler install

# npm scripts run under the Node 24 that package.json brings, whatever the system has.
install: node_modules/.installed

node_modules/.installed: package.json package-lock.json
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@

demo: build
	npm run --silent demo

test: build
	npm test

build: install
	npm run --silent build

check: install
	npm run --silent check

format: install
	npm run --silent format

bench: build
	npm run --silent bench

# Rebuilds the policy compiler from compiler/ with Go and compares it with the one in the repository.
compiler:
	compiler/build.sh
