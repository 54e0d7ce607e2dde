import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFolder } from '../../test/support/temporary-folder.ts';
import type { Report } from '../experiments/report.ts';
import { PointsFiles } from '../store/points-files.ts';
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
  const history = new ExperimentHistory(new PointsFiles(folder));
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
  const again = new ExperimentHistory(new PointsFiles(folder));
  assert.deepEqual(again.of('e'), history.of('e'));
  assert(!again.isDue('e', 1000 * ((times.at(-1) ?? 0) + 1)));
  again.keep(new Map());
  assert.deepEqual(again.of('e'), []);
  // Another one of its name begins anew.
  again.note('e', report(1), 0, 1);
  assert(again.isDue('e', 1000));
});

test('each experiment has a file of its own, which is written when that one moved, and goes with it', (t) => {
  const folder = makeFolder(t);
  const files = new PointsFiles(folder);
  const written: string[] = [];
  const write = files.write.bind(files);
  files.write = (experiment, points) => {
    written.push(experiment);
    write(experiment, points);
  };
  const history = new ExperimentHistory(files);
  const start = 1e9;
  for (const [name, second] of [
    ['a', 0],
    ['b', 0],
    ['a', 30],
    ['a', 60],
    ['b', 90],
    ['a', 100],
  ] as const)
    history.note(name, report(second), start + 1000 * second, 1);
  assert.deepEqual(written, ['a', 'b', 'a', 'b']);
  history.save(start + 110_000);
  history.save(start + 120_000);
  assert.deepEqual(written.slice(4), ['a']);
  const again = () => new ExperimentHistory(new PointsFiles(folder));
  assert.deepEqual(
    ['a', 'b'].map((name) => again().of(name).length),
    [4, 2],
  );
  history.keep(new Map([['b', {}]]));
  assert.deepEqual(readdirSync(join(folder, 'experiments.points')), ['b.json']);
  writeFileSync(join(folder, 'experiments.points', 'b.json'), '{"format":1');
  assert.deepEqual(again().of('b'), []);
  writeFileSync(join(folder, 'experiments.points', 'b.json'), '{"format":1,"points":{"atMs":1}}');
  assert.deepEqual(again().of('b'), []);
});

test('what takes long is done seldom', () => {
  const nowhere = { read: () => new Map(), write: () => {} } as unknown as PointsFiles;
  const history = new ExperimentHistory(nowhere);
  history.note('e', report(1), 0, 300);
  assert(!history.isDue('e', 29_000) && history.isDue('e', 30_000));
});
