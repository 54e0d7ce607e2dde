import type { Input, Memory, Query, WritableAddress } from '../contract/index.ts';
import { type StackContext, State } from './state.ts';

/** Where buckets of the time since the user's last event end, in seconds. */
const GAP_ENDS = [5, 119, 3599];
/** Rows of items that are sampled together. */
const RUN = 8;
/** So many items are scored at a time, at most. */
const CHUNK = 16_384;

interface Ranking {
  /** How an explanation calls it. */
  readonly label: string;
  readonly head: string;
  readonly input: Input | undefined;
  /** Scores of the items that are measured. */
  readonly scores: WritableAddress;
  /** z = factor s + shift, for the query measured last, two f64; both 0 for a ranking that says nothing. */
  readonly moments: WritableAddress;
}

/**
 * The rankings of the inputs, on one scale: z = (s - mean)/sd over a sample of items, the same whoever asks and for what:
 * runs of rows, spread over all.
 */
export class Rankings {
  readonly count: number;
  readonly #rankings: readonly Ranking[];
  /** What is measured: the sample, and behind it the items that the caller adds, a span each. */
  readonly #spans: Uint32Array;
  /** Items of the sample in the query measured last. */
  #sampled = 0;
  readonly #memory: Memory;
  readonly #context: StackContext;
  readonly #state: State;
  readonly #chunk: WritableAddress;
  readonly #mix: number;
  readonly #byGap: number;

  /** `more`: how many items may be added to the sample. */
  constructor(context: StackContext, more: number) {
    const { config, tables, memory, inputs, scratch } = context;
    const { sample, inputs: wanted } = config.ranking;
    this.count = wanted.length;
    this.#rankings = wanted.map(({ model, head }) => ({
      label: head === '' ? model : `${model}.${head}`,
      head,
      input: inputs.find(({ name }) => name === model),
      scores: scratch(4 * (sample + more)),
      moments: scratch(16),
    }));
    this.#spans = new Uint32Array(2 * (Math.ceil(sample / RUN) + more));
    this.#memory = memory;
    this.#context = context;
    this.#state = new State(context);
    this.#chunk = scratch(4 * CHUNK);
    this.#mix = tables.model.column('mix')(0) >>> 3;
    this.#byGap = tables.model.column('byGap')(0) >>> 3;
  }

  label(ranking: number): string {
    return this.#rankings[ranking].label;
  }

  /** Which weights hold for a query. */
  bucket({ user, time }: Query): number {
    const gap = this.#state.gap(user, time);
    let bucket = 0;
    while (bucket < GAP_ENDS.length && gap > GAP_ENDS[bucket]) bucket++;
    return bucket;
  }

  weight(ranking: number, bucket: number): number {
    const { f64: doubles } = this.#memory;
    return doubles[this.#mix + ranking] + doubles[this.#byGap + bucket * this.count + ranking];
  }

  /** Finds the scales of all rankings for a query, and scores these items besides: then `z` of each of them is known. */
  measure(query: Query, items: readonly number[]): void {
    const { kernels } = this.#context;
    let spanCount = this.#draw();
    for (let n = 0; n < items.length; n++) this.#span(spanCount++, items[n], items[n] + 1);
    for (let h = 0; h < this.count; h++) {
      const { input, head, scores, moments } = this.#rankings[h];
      const answers = input?.score(head, query, this.#spans, spanCount, scores) ?? false;
      kernels.moments(scores, answers ? this.#sampled : 0, moments);
    }
  }

  /** Of the n-th item that was measured besides. */
  z(ranking: number, n: number): number {
    const { scores, moments } = this.#rankings[ranking];
    const { f32: floats, f64: doubles } = this.#memory;
    const factor = doubles[moments >>> 3];
    return factor === 0 ? 0 : factor * floats[(scores >>> 2) + this.#sampled + n] + doubles[(moments >>> 3) + 1];
  }

  /** out = the weighted sum of z, for all items of all spans. */
  blend(query: Query, spans: Uint32Array, spanCount: number, out: WritableAddress): void {
    const { kernels, memory } = this.#context;
    this.measure(query, []);
    const bucket = this.bucket(query);
    let at = out;
    for (const [some, count, items] of chunksOf(spans, spanCount, CHUNK)) {
      kernels.fill(at, items, 0);
      for (const [h, { input, head, moments }] of this.#rankings.entries()) {
        const factor = memory.f64[moments >>> 3];
        if (factor === 0 || !input?.score(head, query, some, count, this.#chunk)) continue;
        const weight = this.weight(h, bucket);
        kernels.blend(this.#chunk, items, weight * factor, weight * memory.f64[(moments >>> 3) + 1], at);
      }
      at = (at + 4 * items) as WritableAddress;
    }
  }

  /** How many spans the sample takes. */
  #draw(): number {
    const { rows } = this.#context.tables.items;
    const { sample } = this.#context.config.ranking;
    const runs = rows <= sample ? 1 : Math.floor(sample / RUN);
    const length = rows <= sample ? rows : RUN;
    for (let n = 0; n < runs; n++) {
      const from = runs === 1 ? 0 : Math.floor((n * (rows - length)) / (runs - 1));
      this.#span(n, from, from + length);
    }
    this.#sampled = runs * length;
    return runs;
  }

  #span(n: number, from: number, to: number): void {
    this.#spans[2 * n] = from;
    this.#spans[2 * n + 1] = to;
  }
}

/** The same items in spans of at most `most` together: spans, how many, and of how many items. */
export function* chunksOf(
  spans: Uint32Array,
  spanCount: number,
  most: number,
): Generator<[spans: Uint32Array, count: number, items: number]> {
  let first = 0;
  let items = 0;
  for (let span = 0; span < spanCount; span++) {
    const [from, to] = [spans[2 * span], spans[2 * span + 1]];
    if (items + to - from > most) {
      if (span > first) yield [spans.subarray(2 * first, 2 * span), span - first, items];
      first = span;
      items = 0;
    }
    items += to - from;
    if (items <= most) continue;
    for (let at = from; at < to; at += most)
      yield [Uint32Array.of(at, Math.min(at + most, to)), 1, Math.min(most, to - at)];
    first = span + 1;
    items = 0;
  }
  if (first < spanCount) yield [spans.subarray(2 * first, 2 * spanCount), spanCount - first, items];
}
