import type { LearnContext, Learner } from '../../../plugins/contract/index.ts';
import { likingOf } from './liking.ts';
import type { Config, Tables } from './tables.ts';

/** v_i += l c_u and n_i += l², for every rating of liking l; what is replaced or taken back is subtracted. */
export function learner({ config: { width }, tables, memory }: LearnContext<Config, Tables, unknown>): Learner {
  const drawOf = tables.users.column('draw');
  const sumOf = tables.items.column('sum');
  const squaresOf = tables.items.column('squares');

  function add(user: number, item: number, liking: number, sign: 1 | -1): void {
    const draw = drawOf(user) >>> 2;
    const sum = sumOf(item) >>> 2;
    const step = sign * liking;
    for (let k = 0; k < width; k++) memory.f32[sum + k] += memory.f32[draw + k] < 0 ? -step : step;
    memory.f64[squaresOf(item) >>> 3] += sign * liking * liking;
  }

  return {
    learn(event) {
      if (event.previous) add(event.user, event.item, likingOf(event.previous), -1);
      add(event.user, event.item, likingOf(event), 1);
    },
    retract: (event) => add(event.user, event.item, likingOf(event), -1),
  };
}
