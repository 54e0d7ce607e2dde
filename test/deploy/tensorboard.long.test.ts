import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Curves } from '../../clients/cli/tensorboard/curves.ts';
import { PythonPackages } from '../support/python.ts';
import { ROOT } from '../support/server-process.ts';
import { makeFolder } from '../support/temporary-folder.ts';

/** Learning curves, read by TensorBoard itself. */

const python = new PythonPackages(
  ['tensorboard==2.20.0', 'setuptools==80.9.0'],
  'tensorboard.backend.event_processing.event_accumulator',
);
const skip = python.findMissing();
const read = (folder: string) => python.run([join(ROOT, 'test/deploy/read_events.py'), folder]);

test('TensorBoard reads runs, names, steps and values', { skip }, () => {
  const folder = makeFolder({ after });
  const curves = new Curves(folder);
  curves.add('mf', 10, { 'live/rmse': 0.5, 'live/hit_rate@10': 0.25 });
  curves.add('mf', 2 ** 40, { 'live/rmse': 0.125 });
  curves.add('popularity', 10, { 'live/hit_rate@10': 1 });
  assert.deepEqual(read(folder), {
    mf: {
      'live/rmse': [
        [10, 0.5],
        [2 ** 40, 0.125],
      ],
      'live/hit_rate@10': [[10, 0.25]],
    },
    popularity: { 'live/hit_rate@10': [[10, 1]] },
  });

  // A file that was damaged is told from one that is whole.
  const path = join(folder, 'mf', readdirSync(join(folder, 'mf'))[0]);
  const bytes = readFileSync(path);
  bytes[bytes.length - 6] ^= 1;
  writeFileSync(path, bytes);
  const { mf } = read(folder) as { mf: Record<string, unknown[]> };
  assert.equal(mf['live/rmse'].length, 1);
});
