#!/bin/sh
# The command `accrete` of a checkout: prepares it, then becomes the command line in the folder where it was called.

root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd) || exit
. "$root/setup/prepare.sh"
exec node "$root/clients/cli/main.ts" "$@"
