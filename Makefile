# The two commands: `make demo` and `make test`. Both work from a clean clone with Node 20.17 or newer and npm alone.
.PHONY: demo test fuzz check format build bench inspector compiler opa opa-test aegis bench-test package-test web-test chromium registry-test image image-test kube-test install

# npm scripts run under the Node 24 that package.json brings, whatever the system has.
install: node_modules/.installed

# `npm ci` empties the folder first, and where node_modules is a link, that is somebody else's folder.
node_modules/.installed: package.json package-lock.json
	@test ! -L node_modules || { echo 'node_modules is a link: install in the folder that it points to'; exit 1; }
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@

demo: build
	npm run --silent demo

test: build
	npm test

# All that is random, from a seed that nobody has tried (test/random.ts). What fails names it.
fuzz: build
	TOLLGATE_TEST_SEED=new TOLLGATE_CONVERT_POLICIES=400 TOLLGATE_DIFFERENTIAL_DECISIONS=200000 npm test -- $$(grep -rl --include='*.test.ts' -e 'random.ts' -e 'rbitrary' test)

# The official conformance suites of MCP, directly and through the gate, check by check.
conformance: install
	node_modules/.bin/node test/conformance/run.ts

# The command line of the MCP Inspector, before every combination of client and server. Installed on demand: it is large.
inspector: install .cache/inspector/.installed
	node_modules/.bin/node --test --test-timeout=300000 test/inspector/inspector.cli.ts

.cache/inspector/.installed: Makefile
	mkdir -p .cache/inspector
	npm install --prefix .cache/inspector --ignore-scripts --no-audit --no-fund --no-save --loglevel=error @modelcontextprotocol/inspector@2.12.0
	@touch $@

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

# OPA's own program, of the version that the compiler is made of, to be compared with. Needs Go.
OPA := $(shell sed -n 's/^require github.com.open-policy-agent.opa //p' compiler/go.mod)

opa: .cache/opa/.installed

.cache/opa/.installed: compiler/go.mod Makefile
	GOFLAGS=-mod=mod GOBIN=$(CURDIR)/.cache/opa go install github.com/open-policy-agent/opa@$(OPA)
	@touch $@

# Bundles both ways with a real opa, and the data API beside its own.
opa-test: install opa
	TOLLGATE_OPA=$(CURDIR)/.cache/opa/opa node_modules/.bin/node --test --test-timeout=300000 'test/opa/*.opa.ts' test/admission/data.test.ts test/replay/opa.test.ts

# The package as npm packs it, in a program that depends on it: its declarations under several compilers' settings.
package-test: build
	node_modules/.bin/node --test --test-timeout=300000 'test/library/*.packed.ts'

# That every benchmark runs, with numbers that mean nothing.
bench-test: install
	node_modules/.bin/node --test --test-timeout=900000 'test/bench/*.smoke.ts'

# The page of approvals in a real Chromium: of $TOLLGATE_CHROMIUM, of this machine, or of `make chromium`.
web-test: install
	node_modules/.bin/node --test --test-timeout=300000 'test/web/*.web.ts'

# A Chromium from the npm registry, in a folder of its own: nobody needs it but the target above.
chromium: .cache/chromium/.installed

.cache/chromium/.installed: Makefile
	npm install --prefix .cache/chromium --no-audit --no-fund --no-package-lock --loglevel=error @sparticuz/chromium@147.0.0
	@touch $@

# A bundle in a real OCI registry, pulled by the gate and by a real opa. Needs Go.
registry-test: install opa .cache/registry/registry
	TOLLGATE_OPA=$(CURDIR)/.cache/opa/opa node_modules/.bin/node --test --test-timeout=300000 'test/registry/*.registry.ts'

.cache/registry/registry: Makefile
	mkdir -p .cache/registry
	cd .cache/registry && GOBIN=$$PWD go install github.com/distribution/distribution/v3/cmd/registry@v3.1.2
	@touch $@

# agent-aegis 1.0.0 in a virtual environment of its own, to be compared with. Needs Python 3.11 or newer.
aegis: .cache/aegis/.installed

.cache/aegis/.installed: Makefile
	python3 -m venv .cache/aegis
	.cache/aegis/bin/pip install --quiet --disable-pip-version-check agent-aegis==1.0.0 pyyaml==6.0.3
	@touch $@

# The container image. Needs Docker and nothing else; NODE_IMAGE names another base than the Dockerfile's.
IMAGE ?= tollgate:$(shell sed -n 's/^  "version": "\(.*\)",/\1/p' package.json)

image:
	docker build $(if $(NODE_IMAGE),--build-arg NODE_IMAGE=$(NODE_IMAGE)) --tag $(IMAGE) .

# Builds the image and uses it as an MCP client does. Without Docker it says so and tests nothing.
image-test: install
	node_modules/.bin/node --test --test-timeout=600000 'test/container/*.container.ts'

# The manifests of deploy/kubernetes in a real cluster, of one node or more, that `kubectl` reaches. TOLLGATE_TEST_KUBE_LOAD is the
# command that brings an image of Docker's into it, as `kind load docker-image`. Without a cluster it says so and tests nothing.
kube-test: install
	node_modules/.bin/node --test --test-isolation=none --test-timeout=600000 'test/kubernetes/*.kube.ts'
