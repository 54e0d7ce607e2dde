// The matrix of `ease.ts`: m rows of m f32, `stride` numbers from row to row, a multiple of four; what is behind m is 0.


/** matrix += 1 at every pair of `count` places (u32). */
export function together(matrix: usize, stride: u32, places: usize, count: u32): void {
  const end = places + (<usize>count << 2);
  for (let a = places; a < end; a += 4) {
    const row = matrix + (<usize>load<u32>(a) * stride << 2);
    for (let b = places; b < end; b += 4) {
      const at = row + (<usize>load<u32>(b) << 2);
      store<f32>(at, load<f32>(at) + 1);
    }
  }
}

/**
 * One step of an inversion in place, by the rows K = first .. first + size - 1: with D = A_KK,
 *
 *     A_KK = D^-1      A_Kj = D^-1 A_Kj      A_ij -= A_iK A_Kj (the new one)      A_iK = -A_iK D^-1
 *
 * When every row was in K, A is its inverse. `rows`: room for `size` rows.
 */
export function eliminate(matrix: usize, m: u32, stride: u32, first: u32, size: u32, rows: usize): void {
  const bytes = <usize>stride << 2;
  const pivots = matrix + <usize>first * bytes;
  // Row by row of K, each of which is as if it were a block of its own: what the others of K need of it is there at once.
  for (let k: u32 = 0; k < size; k++) pivot(pivots, stride, first, size, k);
  for (let k: u32 = 0; k < size; k++) copy(pivots + <usize>k * bytes, rows + <usize>k * bytes, stride);
  for (let i: u32 = 0; i < m; i++) {
    if (i - first < size) continue;
    reduce(matrix + <usize>i * bytes, rows, stride, first, size);
  }
}

/** Among the rows of K alone: Gauss & Jordan by row k. */
function pivot(pivots: usize, stride: u32, first: u32, size: u32, k: u32): void {
  const bytes = <usize>stride << 2;
  const own = pivots + <usize>k * bytes;
  const at = <usize>(first + k) << 2;
  const scale: f32 = 1 / load<f32>(own + at);
  store<f32>(own + at, 1);
  for (let j: usize = 0; j < bytes; j += 16) v128.store(own + j, f32x4.mul(v128.load(own + j), f32x4.splat(scale)));
  for (let other: u32 = 0; other < size; other++) {
    if (other === k) continue;
    const row = pivots + <usize>other * bytes;
    const factor = f32x4.splat(load<f32>(row + at));
    store<f32>(row + at, 0);
    for (let j: usize = 0; j < bytes; j += 16)
      v128.store(row + j, f32x4.sub(v128.load(row + j), f32x4.mul(factor, v128.load(own + j))));
  }
}

function copy(from: usize, to: usize, stride: u32): void {
  for (let j: usize = 0; j < <usize>stride << 2; j += 16) v128.store(to + j, v128.load(from + j));
}

/** row -= row_K rows, where row_K counts as 0 before. */
function reduce(row: usize, rows: usize, stride: u32, first: u32, size: u32): void {
  const bytes = <usize>stride << 2;
  const columns = row + (<usize>first << 2);
  // One less than a whole block is reduced by rows of the last again, times 0.
  const last = size - 1;
  const f0 = take(columns, 0, size);
  const f1 = take(columns, 1, size);
  const f2 = take(columns, 2, size);
  const f3 = take(columns, 3, size);
  const f4 = take(columns, 4, size);
  const f5 = take(columns, 5, size);
  const f6 = take(columns, 6, size);
  const f7 = take(columns, 7, size);
  const r1 = rows + <usize>min<u32>(1, last) * bytes;
  const r2 = rows + <usize>min<u32>(2, last) * bytes;
  const r3 = rows + <usize>min<u32>(3, last) * bytes;
  const r4 = rows + <usize>min<u32>(4, last) * bytes;
  const r5 = rows + <usize>min<u32>(5, last) * bytes;
  const r6 = rows + <usize>min<u32>(6, last) * bytes;
  const r7 = rows + <usize>min<u32>(7, last) * bytes;
  for (let j: usize = 0; j < bytes; j += 16) {
    let x = f32x4.mul(f0, v128.load(rows + j));
    x = f32x4.add(x, f32x4.mul(f1, v128.load(r1 + j)));
    x = f32x4.add(x, f32x4.mul(f2, v128.load(r2 + j)));
    x = f32x4.add(x, f32x4.mul(f3, v128.load(r3 + j)));
    x = f32x4.add(x, f32x4.mul(f4, v128.load(r4 + j)));
    x = f32x4.add(x, f32x4.mul(f5, v128.load(r5 + j)));
    x = f32x4.add(x, f32x4.mul(f6, v128.load(r6 + j)));
    x = f32x4.add(x, f32x4.mul(f7, v128.load(r7 + j)));
    v128.store(row + j, f32x4.sub(v128.load(row + j), x));
  }
}

/** A number of a row, which is 0 then, in all lanes; 0 beyond the block. */
function take(columns: usize, n: u32, size: u32): v128 {
  if (n >= size) return f32x4.splat(0);
  const at = columns + (<usize>n << 2);
  const value = load<f32>(at);
  store<f32>(at, 0);
  return f32x4.splat(value);
}
