#!/bin/sh
# Usage: sh setup/lint.sh: format, lint and types of the code, then the same for the wire contract. Writes nothing.

root=$(cd "$(dirname "$0")/.." && pwd) || exit
. "$root/setup/prepare.sh"
cd "$root" || exit

status=0
colors=force
[ -t 1 ] || colors=off
step() {
  echo "== $1"
  shift
  "$@" || status=1
}

step 'format and lint of the code' biome ci --colors=$colors --error-on-warnings
step 'types' tsc --project tsconfig.json
step 'format of proto/' buf format --diff --exit-code --path proto/accrete
step 'lint of proto/' buf lint
step 'breaking changes of proto/' sh setup/breaking.sh
exit $status
