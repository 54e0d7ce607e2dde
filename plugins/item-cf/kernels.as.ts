// The kernels of `item-cf` over the shared memory. Addresses are bytes, unsigned. No static data.

export * from './ease.as';
export * from './pairs.as';
export * from './transitions.as';

/** Scoring may write its scratch memory, where views are, through kernels alone. */
export function put(view: usize, at: u32, word: u32): void {
  store<u32>(view + (<usize>at << 2), word);
}

export function clear(at: usize, count: u32): void {
  const end = at + (<usize>count << 2);
  for (; at + 16 <= end; at += 16) v128.store(at, i32x4.splat(0));
  for (; at < end; at += 4) store<u32>(at, 0);
}
