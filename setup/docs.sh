#!/bin/sh
# Usage: sh setup/docs.sh: writes anew those documents that are generated from the code.

root=$(cd "$(dirname "$0")/.." && pwd) || exit
exec sh "$root/setup/run.sh" docs/generate.ts "$@"
