#!/bin/sh
# Usage: sh setup/webgpu.sh [swiftshader]: gets the packages for the device `webgpu`. With `swiftshader` also software that
# plays a graphics card, for tests: out of Debian's chromium-common, which is not installed.

root=$(cd "$(dirname "$0")/.." && pwd) || exit
. "$root/setup/devices.sh"
set -e

if ! [ -e node_modules/webgpu/package.json ] || ! [ -e node_modules/@tensorflow/tfjs-backend-webgpu/package.json ]; then
  say 'installing webgpu and TensorFlow.js for it'
  install_packages webgpu@0.6.2 @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-backend-webgpu@4.22.0
fi

case ${1:-} in
  '') ;;
  swiftshader)
    if ! [ -e swiftshader/usr/lib/chromium/vk_swiftshader_icd.json ]; then
      command -v apt-get >/dev/null || give_up 'SwiftShader is taken from Debian: apt-get is needed'
      say 'fetching SwiftShader'
      rm -rf swiftshader package.deb
      mkdir package.deb
      (cd package.deb && { apt-get -qq download chromium-common 2>/dev/null || { apt-get -qq update && apt-get -qq download chromium-common; }; }) >&2
      dpkg -x package.deb/*.deb swiftshader
      rm -r package.deb
    fi
    . "$root/setup/swiftshader.sh"
    ;;
  *) give_up "there is no $1 to get: leave it out, or name swiftshader" ;;
esac

cd "$root"
exec node setup/device-check.ts webgpu
