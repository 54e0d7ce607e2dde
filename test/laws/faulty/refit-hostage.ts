import { refit, withRefit } from './honest.ts';

/** Works on vectors of another length, and gives them back at the end alone. */
export default withRefit('refit-hostage', function* (context) {
  const { memory, tables } = context;
  const scale = (factor: number) => {
    for (let user = 0; user < context.users; user++) memory.f32[tables.users.column('vector')(user) >>> 2] *= factor;
  };
  for (const share of refit(context)) {
    if (share === 1) break;
    scale(2 ** 20);
    yield share;
    scale(2 ** -20);
  }
  yield 1;
});

export const breaks = ['a refit can be left off, and all state is in tables then too'];
