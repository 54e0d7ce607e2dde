# Sourced by the scripts beside it that get devices, with $root set: goes to build/devices, where optional packages are
# kept. (An install of the server's own packages would remove them from node_modules.)

. "$root/setup/prepare.sh"
devices=$root/build/devices
mkdir -p "$devices" && cd "$devices" || exit
[ -e package.json ] || echo '{ "private": true }' >package.json

install_packages() {
  npm install --prefix "$devices" --ignore-scripts --save-exact --no-audit --no-fund --no-progress --loglevel=error "$@" >&2
}

say() {
  echo "accrete: $*" >&2
}

give_up() {
  say "$*"
  exit 1
}
