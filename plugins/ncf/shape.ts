/** One layer of the tower. */
export interface Layer {
  readonly ins: number;
  readonly outs: number;
}

/** Lengths are multiples of this: what a kernel takes at once. */
export const LANES = 4;

/** The tower narrows: the two embeddings of `k` side by side, then k, k/2, k/4… */
export function layersOf({ k, layers }: { readonly k: number; readonly layers: number }): Layer[] {
  const shape: Layer[] = [];
  for (let n = 0, ins = 2 * k, outs = k; n < layers; n++) {
    shape.push({ ins, outs });
    ins = outs;
    outs = LANES * Math.max(1, Math.ceil(outs / 2 / LANES));
  }
  return shape;
}
