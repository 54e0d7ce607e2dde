#!/bin/sh
# Usage: sh setup/tensorflow.sh [cpu|gpu] [VERSION]: gets native TensorFlow for the device `tensorflow`, for a processor
# or for a CUDA card. Its npm package fetches the libraries from a host that closed networks do not reach, so they are
# taken out of the wheel of the Python registry, and the binding is compiled here. Needs npm, pip and g++; Linux on x86-64.
# With everything in its place it only checks that it works.

root=$(cd "$(dirname "$0")/.." && pwd) || exit
. "$root/setup/devices.sh"
set -e

kind=${1:-cpu}
version=${2:-2.18.1}
case $kind in
  cpu) package=@tensorflow/tfjs-node wheel=tensorflow-cpu ;;
  gpu) package=@tensorflow/tfjs-node-gpu wheel=tensorflow ;;
  *) give_up "there is no TensorFlow for $kind: name cpu or gpu" ;;
esac
[ "$(uname -sm)" = 'Linux x86_64' ] ||
  give_up "this works on Linux with x86-64; elsewhere: npm install --prefix build/devices $package@4.22.0"
for command in npm python3 g++; do
  command -v "$command" >/dev/null || give_up "$command is needed: install it from your system's packages"
done
python3 -m pip --version >/dev/null 2>&1 || give_up "pip is needed: install python3-pip from your system's packages"

libraries=$devices/tensorflow-$kind-$version
wheels=$devices/wheels
fetch() {
  python3 -m pip download --quiet --no-deps --only-binary :all: --python-version 3.10 --dest "$wheels" \
    --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 --platform manylinux_2_27_x86_64 \
    --platform manylinux1_x86_64 "$@"
}

# What matches of each wheel, and the wheels are gone. A folder that was interrupted is not taken for a whole one.
unpack() {
  rm -rf "$2.part"
  python3 - "$wheels" "$1" "$2.part" <<'PYTHON'
import glob, re, sys, zipfile
folder, pattern, to = sys.argv[1:]
for wheel in glob.glob(folder + '/*.whl'):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(to, [name for name in archive.namelist() if re.match(pattern, name)])
PYTHON
  rm -rf "$wheels"
  mkdir -p "$(dirname "$2")"
  mv "$2.part" "$2"
}

if [ ! -d "$libraries" ]; then
  say "fetching $wheel $version"
  rm -rf "$wheels"
  fetch "$wheel==$version"
  unpack 'tensorflow/(lib\w+\.so\.2$|include/(tensorflow/(c/|core/platform/ctstring|tsl/)|tsl/|xla/tsl/c/|external/local_tsl/tsl/))' "$libraries"
fi
# Where the libraries look for CUDA's: beside them. These versions are what the wheel of 2.18 asks for.
if [ "$kind" = gpu ] && [ ! -d "$libraries/nvidia" ]; then
  say 'fetching the libraries of CUDA'
  rm -rf "$wheels"
  fetch nvidia-cublas-cu12==12.5.3.2 nvidia-cuda-cupti-cu12==12.5.82 nvidia-cuda-nvcc-cu12==12.5.82 \
    nvidia-cuda-nvrtc-cu12==12.5.82 nvidia-cuda-runtime-cu12==12.5.82 nvidia-cudnn-cu12==9.3.0.75 \
    nvidia-cufft-cu12==11.2.3.61 nvidia-curand-cu12==10.3.6.82 nvidia-cusolver-cu12==11.6.3.83 \
    nvidia-cusparse-cu12==12.5.1.3 nvidia-nccl-cu12==2.21.5 nvidia-nvjitlink-cu12==12.5.82
  unpack 'nvidia/' "$devices/cuda"
  mv "$devices/cuda/nvidia" "$libraries/nvidia"
  rmdir "$devices/cuda"
fi

binding=$devices/node_modules/$package/lib/napi-v8/tfjs_binding.node
if [ ! -e "$binding" ] || [ "$(cat "$binding.libraries" 2>/dev/null)" != "$libraries" ]; then
  say "installing $package and compiling its binding"
  install_packages "$package@4.22.0" node-api-headers@1.9.0
  mkdir -p "$(dirname "$binding")"
  g++ -std=c++17 -O2 -fPIC -shared -DNAPI_VERSION=8 -w \
    -I node_modules/node-api-headers/include -I "$libraries/tensorflow/include" \
    "node_modules/$package/binding/tfjs_backend.cc" "node_modules/$package/binding/tfjs_binding.cc" \
    -L "$libraries/tensorflow" -l:libtensorflow_cc.so.2 -l:libtensorflow_framework.so.2 \
    -Wl,-rpath,"$libraries/tensorflow" -o "$binding"
  echo "$libraries" >"$binding.libraries"
fi

cd "$root"
exec node setup/device-check.ts tensorflow
