import { OPENINGS, tryAll } from '../server/tensor/choose.ts';

/** Opens one device, computes a product on it, and says what it is: `node setup/device-check.ts tensorflow`. */

const names = OPENINGS.map(({ name }) => name).filter((name) => name === process.argv[2]);
const { trials, opened } = await tryAll(names);
for (const backend of opened) {
  const upload = { op: 'upload', out: 0, rows: 2, columns: 2, values: Float32Array.of(1, 2, 3, 4) } as const;
  const a = backend.make(upload, undefined, undefined);
  const product = { op: 'matmul', out: 1, a: 0, b: 0, transposeA: false, transposeB: false } as const;
  const squared = await backend.read(backend.make({ ...product, rows: 2, columns: 2 }, a, a));
  if (String(squared) !== '7,10,15,22') throw new Error(`${backend.adapter} computes ${squared} for 7,10,15,22`);
  console.log(`${backend.name} works: ${backend.adapter}`);
}
for (const { name, why } of trials) if (why !== undefined) console.error(`accrete: ${name} does not work: ${why}`);
// Native parts may hold the process.
process.exit(opened.length === names.length && names.length > 0 ? 0 : 1);
