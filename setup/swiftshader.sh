# Sourced, with $root set: makes SwiftShader the only graphics card, where setup/webgpu.sh put it.

swiftshader=$root/build/devices/swiftshader/usr/lib/chromium
if [ -e "$swiftshader/vk_swiftshader_icd.json" ]; then
  VK_ICD_FILENAMES=$swiftshader/vk_swiftshader_icd.json
  LD_LIBRARY_PATH=$swiftshader${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
  export VK_ICD_FILENAMES LD_LIBRARY_PATH
fi
