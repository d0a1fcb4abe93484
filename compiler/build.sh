#!/bin/sh
# Rebuilds the policy compiler and compares it with the one in the repository; --update keeps the new one.
set -eu

cd "$(dirname "$0")"

if ! command -v go >/dev/null 2>&1; then
  echo "compiler/build.sh: Go is not installed: it is needed to rebuild the policy compiler, and for nothing else" >&2
  exit 1
fi

node=../node_modules/.bin/node
if [ ! -x "$node" ]; then
  echo "compiler/build.sh: no node in node_modules: run \`make install\` first" >&2
  exit 1
fi

case "${1-}" in
'' | --update) ;;
*)
  echo "usage: compiler/build.sh [--update]" >&2
  exit 2
  ;;
esac

# The toolchain decides the bytes, so the pinned one is used whatever is installed; `go` fetches it if it has to.
toolchain=$(sed -n 's/^toolchain //p' go.mod)
export GOTOOLCHAIN="$toolchain" GOFLAGS='' GOWORK=off GOOS=js GOARCH=wasm GOWASM='' GOEXPERIMENT='' CGO_ENABLED=0
ldflags='-s -w -buildid='

raw=$(mktemp)
trap 'rm -f "$raw"' EXIT
go build -trimpath -buildvcs=false -ldflags "$ldflags" -o "$raw" .

opa=$(go list -m -f '{{.Version}}' github.com/open-policy-agent/opa)
"$node" pack.ts "${1---compare}" "$raw" "$(go env GOROOT)" "$opa" "$toolchain" "GOOS=js GOARCH=wasm -trimpath -buildvcs=false -ldflags '$ldflags'"
