#!/bin/sh
# Usage: sh setup/test.sh [OPTION=VALUE...] [FILE...]: runs the named tests, or all but the long ones (*.long.test.ts).

root=$(cd "$(dirname "$0")/.." && pwd) || exit
. "$root/setup/prepare.sh"
cd "$root" || exit

named=no
for argument; do
  case $argument in
    -*) ;;
    *) named=yes ;;
  esac
done
[ "$named" = yes ] || set -- "$@" '{server,plugins,clients,docs,setup,test}/**/!(*.long).test.ts'

# Most of the time tests wait for disks and timers: a file for each processor, where Node would leave one free.
exec node --test --test-timeout=300000 --test-concurrency="$(node -p 'os.availableParallelism()')" "$@"
