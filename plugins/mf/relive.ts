import type { RefitContext } from '../contract/index.ts';
import type { LearningBase, Step } from './base.ts';
import type { MfConfig } from './config.ts';
import type { MfKernels } from './kernels.ts';
import { NOWHERE } from './predictor.ts';
import type { SequenceLearner } from './sequence-learner.ts';
import type { MfTables } from './tables.ts';

type Context = RefitContext<MfConfig, MfTables, MfKernels>;

/**
 * Live ratings in turn, from the first on, as if they came now: for what is learned in one pass and cannot be learned in
 * any order, the regressions and the sequence. The vectors that predict ratings are only read. Those of a user come in
 * their order; yields after every `pace` ratings how many are done.
 */
export function* relive(
  context: Context,
  { base, sequence }: { readonly base?: LearningBase; readonly sequence?: SequenceLearner },
  pace: number,
): Generator<number, void, void> {
  const { history, users, items, tables, memory } = context;
  const ofUser = tables.users.column('ratings');
  const ofItem = tables.items.column('ratings');
  for (let user = 0; user < users; user++) memory.u32[ofUser(user) >>> 2] = 0;
  for (let item = 0; item < items; item++) memory.u32[ofItem(item) >>> 2] = 0;
  const learn = base && learner(context, base);
  let done = 0;
  for (let row = 0; row < history.rows; row++) {
    if (history.weight(row) === 0) continue;
    const user = history.user(row);
    // Rows are used again: a user's first row need not be that of the first rating.
    for (let isOne = false; !isOne; ) {
      const count = memory.u32[ofUser(user) >>> 2];
      const rating = history.ofUser(user, count);
      const item = history.item(rating);
      isOne = history.weight(rating) > 0;
      learn?.(rating);
      sequence?.learn(user, item, history.time(rating), count);
      memory.u32[ofUser(user) >>> 2]++;
      memory.u32[ofItem(item) >>> 2]++;
    }
    if (++done % pace === 0) yield done;
  }
}

function learner({ config, tables, kernels, history }: Context, base: LearningBase): (rating: number) => void {
  const { k } = config;
  const userVector = k === 0 ? () => NOWHERE : tables.users.column('vector');
  const itemVector = k === 0 ? () => NOWHERE : tables.items.column('vector');
  const step: Step = { user: 0, item: 0, value: 0, weight: 0, error: 0, reach: 0 };
  return (rating) => {
    const time = history.time(rating);
    step.user = history.user(rating);
    step.item = history.item(rating);
    step.value = history.value(rating);
    step.weight = history.weight(rating);
    const expected = base.expect(step.user, step.item, time);
    step.error = step.value - expected - kernels.dot(userVector(step.user), itemVector(step.item), k);
    base.learn('both', 'live', step);
    base.arrive('both', step.user, step.item, time);
  };
}
