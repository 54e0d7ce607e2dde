import { exp2, type Input, ln, type Query } from '../contract/index.ts';
import { type StackContext, State } from './state.ts';
import { widthOf } from './tables.ts';

/** What inputs expect is regressed less this. */
export const MIDDLE = 3.5;
const HOUR = 3600;
const MINUTE = 60;

/** x, the numbers that the regression takes: what the inputs expect of a rating, and what is known of its user and item. */
export class Evidence {
  readonly x: Float64Array;
  /** What the base expects, less the middle. */
  base = 0;
  readonly #inputs: readonly (Input | undefined)[];
  readonly #expected: Float64Array;
  readonly #state: State;

  constructor(context: Pick<StackContext, 'config' | 'tables' | 'memory' | 'inputs'>) {
    const { config, inputs } = context;
    const names = config.rating.inputs;
    this.x = new Float64Array(widthOf(config));
    this.#inputs = names.map((name) => inputs.find((input) => input.name === name));
    this.#expected = new Float64Array(names.length);
    this.#state = new State(context);
  }

  /** Sets `x` and `base` for a rating that is about to come. */
  gather(query: Query, item: number): void {
    const { user, time } = query;
    const state = this.#state;
    const expected = this.#ask(query, item);
    const m = expected.length;
    const users = state.user('count', user);
    const items = state.itemCount(item);
    const fast = state.user('fast', user);
    const said = state.user('base', user);
    const gap = state.gap(user, time);
    const near = fading(gap / HOUR);
    const nearer = fading(gap / MINUTE);
    const fewUser = 1 / Math.sqrt(1 + users / 4);
    const fewItem = 1 / Math.sqrt(1 + items / 4);
    const manyUser = ln(1 + users) / 4 - 1;
    const manyItem = ln(1 + items) / 4 - 1;
    const erring = Math.sqrt(state.user('square', user) + 0.3) - 0.9;
    const { x, base } = this;
    let n = 0;
    for (let k = 0; k < m; k++) x[n++] = expected[k];
    x[n++] = 0.1;
    for (let k = 0; k < m; k++) x[n++] = expected[k] * fewItem;
    for (let k = 0; k < m; k++) x[n++] = expected[k] * manyItem;
    x[n++] = fewUser;
    x[n++] = fewItem;
    x[n++] = manyUser;
    x[n++] = manyItem;
    x[n++] = manyUser * manyItem;
    x[n++] = fast;
    x[n++] = state.user('slow', user);
    x[n++] = erring;
    x[n++] = erring * base;
    x[n++] = said;
    x[n++] = said * near;
    x[n++] = 0.3 * near;
    x[n++] = fast * nearer;
    x[n++] = said * nearer;
    x[n] = 0.3 * nearer;
  }

  /** What the base expects less the middle, and what the others do less the base; an input without an answer adds nothing. */
  #ask(query: Query, item: number): Float64Array {
    const expected = this.#expected;
    for (let k = 0; k < expected.length; k++) expected[k] = clip(this.#inputs[k]?.predict(query, item) ?? Number.NaN);
    const base = Number.isNaN(expected[0]) ? (expected.find((value) => !Number.isNaN(value)) ?? MIDDLE) : expected[0];
    for (let k = 1; k < expected.length; k++) expected[k] = Number.isNaN(expected[k]) ? 0 : expected[k] - base;
    this.base = base - MIDDLE;
    expected[0] = this.base;
    return expected;
  }
}

/** To the scale 1..5. */
export const clip = (value: number) => Math.min(5, Math.max(1, value));

/** e^-t */
const fading = (t: number) => (t > 500 ? 0 : exp2(-t * Math.LOG2E));
