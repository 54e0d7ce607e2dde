#!/bin/sh
# Usage: sh setup/format.sh: formats the code and the wire contract, and sorts imports.

root=$(cd "$(dirname "$0")/.." && pwd) || exit
. "$root/setup/prepare.sh"
cd "$root" || exit
biome check --write --linter-enabled=false && exec buf format --write --path proto/accrete
