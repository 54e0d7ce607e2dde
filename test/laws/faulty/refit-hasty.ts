import { refit, withRefit } from './honest.ts';

/** Changes a table with the first result of its device, before it has the last. */
export default withRefit('refit-hasty', async function* (context) {
  const { memory, tables, device, users } = context;
  yield* refit(context);
  await device.run(async (on) => {
    for (let user = 0; user < users; user++) {
      const at = tables.users.column('vector')(user) >>> 2;
      [memory.f32[at]] = await on.read(on.affine(on.fill(1, 1, memory.f32[at]), 0.5));
    }
  });
});

export const breaks = ['a refit gives the same bytes when its device fails half way'];
