import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFolder } from '../../test/support/temporary-folder.ts';
import type { Report } from '../experiments/report.ts';
import { PointsFile } from '../store/points-file.ts';
import { ExperimentHistory } from './experiment-history.ts';

const report = (value: number) =>
  ({
    arms: [
      { name: 'control', differences: [] },
      { name: 'arm', differences: [{ metric: 'rmse', value, bounds: { lower: -1, upper: 1 }, count: 5 }] },
    ],
  }) as unknown as Report;

test('points are as many as a chart takes, evenly over the time so far, and outlive the process', (t) => {
  const folder = makeFolder(t);
  const history = new ExperimentHistory(new PointsFile(folder));
  let noted = 0;
  for (let second = 0; second < 1000; second++) {
    if (!history.isDue('e', 1000 * second)) continue;
    history.note('e', report(second), 1000 * second, 1);
    noted++;
  }
  const times = history.of('e').map(({ atMs }) => atMs / 1000);
  assert(times.length > 40 && times.length <= 100 && noted < 400, `${times.length} of ${noted}`);
  assert(times[0] === 0 && (times.at(-1) ?? 0) > 980);
  const gaps = new Set(times.slice(1).map((time, n) => time - times[n]));
  assert(Math.max(...gaps) <= 2 * Math.min(...gaps), [...gaps].join());
  history.save();
  const again = new ExperimentHistory(new PointsFile(folder));
  assert.deepEqual(again.of('e'), history.of('e'));
  assert(!again.isDue('e', 1000 * ((times.at(-1) ?? 0) + 1)));
  again.keep(new Map());
  assert.deepEqual(again.of('e'), []);
  // Another one of its name begins anew.
  again.note('e', report(1), 0, 1);
  assert(again.isDue('e', 1000));
  writeFileSync(join(folder, 'experiments.points.json'), '{"format":1');
  assert.deepEqual(new ExperimentHistory(new PointsFile(folder)).of('e'), []);
});

test('what takes long is done seldom', () => {
  const nowhere = { read: () => ({}), write: () => {} } as unknown as PointsFile;
  const history = new ExperimentHistory(nowhere);
  history.note('e', report(1), 0, 300);
  assert(!history.isDue('e', 29_000) && history.isDue('e', 30_000));
});
