import type { Address, Input, Memory, Query, WritableAddress } from '../contract/index.ts';
import { type StackContext, State } from './state.ts';

/** Where buckets of the time since the user's last event end, in seconds. */
const GAP_ENDS = [5, 119, 3599];
/** A ranking whose scores differ by less than this part of the greatest says nothing. */
const FLAT = 1e-6;
/** So many items are scored at a time, at most. */
const CHUNK = 16_384;

interface Ranking {
  /** How an explanation calls it. */
  readonly label: string;
  readonly head: string;
  readonly input: Input | undefined;
  /** Scores of the items that are measured. */
  readonly scores: WritableAddress;
}

/**
 * The rankings of the inputs, on one scale: z = (s - mean)/sd over a sample of the items that were rated. The sample is
 * spread over all rows, and is the same whoever asks and for what.
 */
export class Rankings {
  readonly rankings: readonly Ranking[];
  /** z = factor s + shift, for the query measured last; both 0 for a ranking that says nothing. */
  readonly factors: Float64Array;
  readonly shifts: Float64Array;
  /** The items that are measured, each a span; behind the sample are those that the caller adds. */
  readonly #spans: Uint32Array;
  readonly #sample: number;
  readonly #memory: Memory;
  readonly #context: StackContext;
  readonly #state: State;
  readonly #chunk: WritableAddress;
  readonly #mix: Address;
  readonly #byGap: Address;

  /** `more`: how many items may be added to the sample. */
  constructor(context: StackContext, more: number) {
    const { config, tables, memory, inputs, scratch } = context;
    const { sample, inputs: wanted } = config.ranking;
    this.rankings = wanted.map(({ model, head }) => ({
      label: head === '' ? model : `${model}.${head}`,
      head,
      input: inputs.find(({ name }) => name === model),
      scores: scratch(4 * (sample + more)),
    }));
    this.factors = new Float64Array(wanted.length);
    this.shifts = new Float64Array(wanted.length);
    this.#spans = new Uint32Array(2 * (sample + more));
    this.#sample = sample;
    this.#memory = memory;
    this.#context = context;
    this.#state = new State(context);
    this.#chunk = scratch(4 * CHUNK);
    this.#mix = tables.model.column('mix')(0);
    this.#byGap = tables.model.column('byGap')(0);
  }

  /** Which weights hold for a query. */
  bucket({ user, time }: Query): number {
    const gap = this.#state.gap(user, time);
    const bucket = GAP_ENDS.findIndex((end) => gap <= end);
    return bucket < 0 ? GAP_ENDS.length : bucket;
  }

  weight(ranking: number, bucket: number): number {
    const { f64: doubles } = this.#memory;
    return (
      doubles[(this.#mix >>> 3) + ranking] + doubles[(this.#byGap >>> 3) + bucket * this.rankings.length + ranking]
    );
  }

  /** Sets `factors` and `shifts`, and scores these items besides: `z` of the n-th of them is known then. */
  measure(query: Query, items: readonly number[] = []): void {
    const sampled = this.#draw();
    for (const [n, item] of items.entries()) this.#span(sampled + n, item);
    for (const [n, { input, head, scores }] of this.rankings.entries()) {
      const answers = input?.score(head, query, this.#spans, sampled + items.length, scores) ?? false;
      this.#standardise(n, answers ? sampled : 0);
    }
    this.#measured = sampled;
  }

  #measured = 0;

  /** Of the n-th item that was measured besides. */
  z(ranking: number, n: number): number {
    const score = this.#memory.f32[(this.rankings[ranking].scores >>> 2) + this.#measured + n];
    const factor = this.factors[ranking];
    return factor === 0 ? 0 : factor * score + this.shifts[ranking];
  }

  /** out = sum of weighted z, for all items of all spans. */
  blend(query: Query, spans: Uint32Array, spanCount: number, out: WritableAddress): void {
    const { kernels } = this.#context;
    this.measure(query);
    const bucket = this.bucket(query);
    let at = out;
    for (const [some, count, items] of chunksOf(spans, spanCount)) {
      kernels.fill(at, items, 0);
      for (const [n, { input, head }] of this.rankings.entries()) {
        const weight = this.weight(n, bucket);
        if (this.factors[n] === 0 || !input?.score(head, query, some, count, this.#chunk)) continue;
        kernels.blend(this.#chunk, items, weight * this.factors[n], weight * this.shifts[n], at);
      }
      at = (at + 4 * items) as WritableAddress;
    }
  }

  /** The sample: every so many-th row of an item that was rated. How many there are. */
  #draw(): number {
    const { rows } = this.#context.tables.items;
    const size = Math.min(rows, this.#sample);
    let count = 0;
    for (let n = 0; n < size; n++) {
      const item = Math.floor((n * rows) / size);
      if (this.#state.itemCount(item) > 0) this.#span(count++, item);
    }
    return count;
  }

  #span(n: number, item: number): void {
    this.#spans[2 * n] = item;
    this.#spans[2 * n + 1] = item + 1;
  }

  #standardise(ranking: number, count: number): void {
    const { f32: floats } = this.#memory;
    const at = this.rankings[ranking].scores >>> 2;
    let [sum, greatest] = [0, 0];
    for (let n = 0; n < count; n++) {
      sum += floats[at + n];
      greatest = Math.max(greatest, Math.abs(floats[at + n]));
    }
    const mean = count === 0 ? 0 : sum / count;
    let squares = 0;
    for (let n = 0; n < count; n++) squares += (floats[at + n] - mean) ** 2;
    const sd = count === 0 ? 0 : Math.sqrt(squares / count);
    this.factors[ranking] = sd > FLAT * greatest ? 1 / sd : 0;
    this.shifts[ranking] = -mean * this.factors[ranking];
  }
}

/** The same items in spans of at most `CHUNK` together: spans, how many, and of how many items. */
function* chunksOf(spans: Uint32Array, spanCount: number): Generator<[Uint32Array, number, number]> {
  let items = 0;
  let first = 0;
  for (let span = 0; span < spanCount; span++) {
    const length = spans[2 * span + 1] - spans[2 * span];
    if (items + length <= CHUNK) {
      items += length;
      continue;
    }
    if (span > first) yield [spans.subarray(2 * first, 2 * span), span - first, items];
    for (let from = spans[2 * span]; from < spans[2 * span + 1]; from += CHUNK) {
      const to = Math.min(from + CHUNK, spans[2 * span + 1]);
      yield [Uint32Array.of(from, to), 1, to - from];
    }
    items = 0;
    first = span + 1;
  }
  if (first < spanCount) yield [spans.subarray(2 * first, 2 * spanCount), spanCount - first, items];
}
