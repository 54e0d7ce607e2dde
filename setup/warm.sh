#!/bin/sh
# Usage: sh warm.sh: starts the server of this folder once, on a store that goes, and asks for its health, so that what Node
# compiles of them is in NODE_COMPILE_CACHE. Part of the package for those who make images.

cd "$(dirname "$0")" || exit
folder=$(mktemp -d) || exit
address=unix:$folder/accrete.sock
node server/main.js --data "$folder/data" --listen "$address" --metrics.listen 127.0.0.1:0 &
server=$!
node bin/accrete.mjs health --wait 60 --address "$address"
status=$?
kill "$server"
wait "$server" || status=$?
rm -rf "$folder"
exit "$status"
