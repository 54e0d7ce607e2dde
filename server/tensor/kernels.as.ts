// Products of blocks of matrices, for the device `cpu`, in a memory of its own. Addresses are bytes. No static data.

/**
 * out[i, j] += <a[i], b[j]> for rows of `width` f32, a multiple of 4: `rowsA` (a multiple of 2) of a by `rowsB` (a multiple
 * of 4) of b, one after another; `out` has rows of `rowsB`. Lane n of a sum adds every fourth product, from n on; then
 * (0 + 1) + (2 + 3).
 */
export function multiplyBlock(a: usize, b: usize, width: u32, rowsA: u32, rowsB: u32, out: usize): void {
  const stride: usize = width << 2;
  for (let i: u32 = 0; i < rowsA; i += 2, a += stride << 1, out += <usize>rowsB << 3) {
    let row = b;
    for (let j: u32 = 0; j < rowsB; j += 4, row += stride << 2) {
      let s00 = f32x4.splat(0);
      let s01 = f32x4.splat(0);
      let s02 = f32x4.splat(0);
      let s03 = f32x4.splat(0);
      let s10 = f32x4.splat(0);
      let s11 = f32x4.splat(0);
      let s12 = f32x4.splat(0);
      let s13 = f32x4.splat(0);
      for (let at: usize = 0; at < stride; at += 16) {
        const a0 = v128.load(a + at);
        const a1 = v128.load(a + stride + at);
        const b0 = v128.load(row + at);
        const b1 = v128.load(row + stride + at);
        const b2 = v128.load(row + (stride << 1) + at);
        const b3 = v128.load(row + 3 * stride + at);
        s00 = f32x4.add(s00, f32x4.mul(a0, b0));
        s01 = f32x4.add(s01, f32x4.mul(a0, b1));
        s02 = f32x4.add(s02, f32x4.mul(a0, b2));
        s03 = f32x4.add(s03, f32x4.mul(a0, b3));
        s10 = f32x4.add(s10, f32x4.mul(a1, b0));
        s11 = f32x4.add(s11, f32x4.mul(a1, b1));
        s12 = f32x4.add(s12, f32x4.mul(a1, b2));
        s13 = f32x4.add(s13, f32x4.mul(a1, b3));
      }
      const at = out + (<usize>j << 2);
      addTo(at, s00, s01, s02, s03);
      addTo(at + (<usize>rowsB << 2), s10, s11, s12, s13);
    }
  }
}

// @ts-ignore: decorator
@inline
function addTo(at: usize, a: v128, b: v128, c: v128, d: v128): void {
  store<f32>(at, load<f32>(at) + sumOf(a));
  store<f32>(at, load<f32>(at, 4) + sumOf(b), 4);
  store<f32>(at, load<f32>(at, 8) + sumOf(c), 8);
  store<f32>(at, load<f32>(at, 12) + sumOf(d), 12);
}

// @ts-ignore: decorator
@inline
function sumOf(a: v128): f32 {
  return (
    f32x4.extract_lane(a, 0) + f32x4.extract_lane(a, 1) + (f32x4.extract_lane(a, 2) + f32x4.extract_lane(a, 3))
  );
}
