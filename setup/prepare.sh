# Sourced by the scripts beside it, with $root set: brings node_modules, the generated code and the kernels up to date.
# The lock is on the folder setup/ itself, and every process that prepares inherits it: it ends with the last of them,
# however they end. With everything up to date this takes about 60 ms.

PATH=$root/node_modules/.bin:$PATH
# Node keeps what it compiled: the server starts in about half the time.
NODE_COMPILE_CACHE=${NODE_COMPILE_CACHE:-$root/build/compile-cache}
export PATH NODE_COMPILE_CACHE

exec 9<"$root/setup"
if ! command -v flock >/dev/null; then
  perl -e 'open(my $lock, "<&=", 9) or die $!; flock($lock, 2) or die $!' || exit
elif ! flock -n 9; then
  echo 'accrete: waiting for another process that prepares this checkout' >&2
  flock 9 || exit
fi

node "$root/setup/prepare.mjs" &
preparing=$!
trap 'kill "$preparing"' HUP INT TERM
wait "$preparing" || { status=$?; wait; exit "$status"; }
trap - HUP INT TERM

exec 9<&-
