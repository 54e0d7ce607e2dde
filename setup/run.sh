#!/bin/sh
# Usage: sh setup/run.sh FILE [ARGUMENT...]: prepares the checkout, then becomes `node FILE ARGUMENT...` at its root.

root=$(cd "$(dirname "$0")/.." && pwd) || exit
. "$root/setup/prepare.sh"
cd "$root" || exit
exec node "$@"
