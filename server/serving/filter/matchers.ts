import type { Arena } from '../../memory/arena.ts';
import type { Features } from '../../memory/features/features.ts';
import type { HostKernels } from '../../memory/kernels/host-kernels.ts';
import type { Scratch } from '../../memory/scratch.ts';
import type { Comparator, Condition } from './expression.ts';

/** Finds the rows for which a condition holds. */
export interface Matcher {
  /** Bytes that it keeps. */
  readonly bytes: number;
  /** Finds what the condition names among the terms. */
  refresh(): void;
  /** After a `refresh`: sets the bits of those of a stretch of rows (see `Features.eachPlaces`); other bits at address `out` stay. */
  mark(places: number, stride: number, count: number, out: number): void;
}

/** What matchers of one thread work with. */
export interface MatcherHost {
  readonly arena: Arena;
  readonly kernels: HostKernels;
  readonly features: Features;
  /** What one matcher puts there in `refresh` is there until the next `refresh` of any. */
  readonly scratch: Scratch;
}

export function matcherOf(host: MatcherHost, condition: Condition): Matcher {
  const { terms } = host.features;
  const { field } = condition;
  if (condition.type === 'has') return new TermMatcher(host, () => terms.findField(field));
  const { text, number } = condition.literal;
  const orders = ORDERS[condition.comparator];
  const numbers = number === undefined ? [] : [new NumberMatcher(host, field, orders, number)];
  if (condition.comparator === '=') {
    return new EitherMatcher([new TermMatcher(host, () => terms.find(terms.findField(field), text)), ...numbers]);
  }
  return numbers[0] ?? new TextOrderMatcher(host, field, orders, text);
}

const BELOW = 1;
const EQUAL = 2;
const ABOVE = 4;
/** As the kernel `markNumber` wants them. */
const ORDERS: Readonly<Record<Comparator, number>> = {
  '=': EQUAL,
  '<': BELOW,
  '<=': BELOW | EQUAL,
  '>': ABOVE,
  '>=': ABOVE | EQUAL,
};

/** The row has one term. */
class TermMatcher implements Matcher {
  readonly bytes = 0;
  readonly #kernels: HostKernels;
  readonly #find: () => number;
  #term = -1;

  /** `find`: its number, or -1 while there is none. */
  constructor({ kernels }: MatcherHost, find: () => number) {
    this.#kernels = kernels;
    this.#find = find;
  }

  refresh(): void {
    if (this.#term < 0) this.#term = this.#find();
  }

  mark(places: number, stride: number, count: number, out: number): void {
    if (this.#term >= 0) this.#kernels.markTerm(places, stride, count, this.#term, out);
  }
}

/** The row has a number in the field that stands so to the bound. */
class NumberMatcher implements Matcher {
  readonly bytes = 0;
  readonly #host: MatcherHost;
  readonly #path: string;
  readonly #orders: number;
  readonly #bound: number;
  #field = -1;

  constructor(host: MatcherHost, path: string, orders: number, bound: number) {
    this.#host = host;
    this.#path = path;
    this.#orders = orders;
    this.#bound = bound;
  }

  refresh(): void {
    if (this.#field < 0) this.#field = this.#host.features.terms.findField(this.#path);
  }

  mark(places: number, stride: number, count: number, out: number): void {
    if (this.#field < 0) return;
    this.#host.kernels.markNumber(places, stride, count, this.#field, this.#orders, this.#bound, out);
  }
}

/** The row has a text in the field that stands so to the bound: one of a set of terms, a bit each. */
class TextOrderMatcher implements Matcher {
  readonly #host: MatcherHost;
  readonly #path: string;
  readonly #orders: number;
  readonly #bound: Uint8Array;
  #set = new Uint32Array(0);
  #known = 0;
  #address = 0;

  constructor(host: MatcherHost, path: string, orders: number, bound: string) {
    this.#host = host;
    this.#path = path;
    this.#orders = orders;
    this.#bound = Buffer.from(bound);
  }

  get bytes(): number {
    return this.#set.byteLength;
  }

  refresh(): void {
    this.#learnTerms();
    const { arena, scratch } = this.#host;
    this.#address = scratch.reserve(this.#set.byteLength);
    arena.u32.set(this.#set, this.#address >>> 2);
  }

  mark(places: number, stride: number, count: number, out: number): void {
    this.#host.kernels.markTerms(places, stride, count, this.#address, this.#known, out);
  }

  #learnTerms(): void {
    const { terms } = this.#host.features;
    const { count } = terms;
    if (count > 32 * this.#set.length) this.#set = widened(this.#set, count);
    const field = terms.findField(this.#path);
    if (field < 0) return;
    // The terms of a field come after the field.
    for (let term = Math.max(this.#known, field + 1); term < count; term++) {
      if (terms.fieldOf(term) !== field) continue;
      const order = terms.compare(term, this.#bound);
      const accepted = (order < 0 ? BELOW : order > 0 ? ABOVE : EQUAL) & this.#orders;
      if (accepted !== 0) this.#set[term >>> 5] |= 1 << (term & 31);
    }
    this.#known = count;
  }
}

/** One of several matches. */
class EitherMatcher implements Matcher {
  readonly bytes = 0;
  readonly #matchers: readonly Matcher[];

  constructor(matchers: readonly Matcher[]) {
    this.#matchers = matchers;
  }

  refresh(): void {
    for (const matcher of this.#matchers) matcher.refresh();
  }

  mark(places: number, stride: number, count: number, out: number): void {
    for (const matcher of this.#matchers) matcher.mark(places, stride, count, out);
  }
}

/** At least `bits` bits, with those of `words`; a power of two, so that it is seldom done. */
export function widened(words: Uint32Array<ArrayBuffer>, bits: number): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(Math.max(32, 2 ** Math.ceil(Math.log2(Math.ceil(bits / 32)))));
  grown.set(words);
  return grown;
}
