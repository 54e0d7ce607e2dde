#!/bin/sh
# Usage: sh setup/test-devices.sh [FILE...]: gets native TensorFlow, and WebGPU with SwiftShader, where they are not there
# yet, and runs the tests of all devices (see docs/devices.md).

root=$(cd "$(dirname "$0")/.." && pwd) || exit
kind=cpu
[ -d "$root/build/devices/node_modules/@tensorflow/tfjs-node-gpu" ] && kind=gpu
sh "$root/setup/tensorflow.sh" "$kind" || exit
sh "$root/setup/webgpu.sh" swiftshader || exit
. "$root/setup/swiftshader.sh"
[ $# -gt 0 ] || set -- 'test/devices/*.test.ts'
exec sh "$root/setup/test.sh" --test-concurrency=1 "$@"
