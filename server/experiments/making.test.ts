import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Owners } from '../allocation/owners.ts';
import { POINTS } from '../allocation/point.ts';
import { areDisjoint, sizeOf } from '../allocation/slices.ts';
import type { Experiment } from '../store/experiment.ts';
import {
  changeExperiment,
  end,
  findSuperfluous,
  KEPT_MAX,
  makeExperiment,
  movedShare,
  OPEN_MAX,
  reweigh,
  stopArm,
} from './making.ts';
import { WANTED } from './testing/wanted.ts';

const NOW = 1_000_000;
const sharesOf = ({ arms }: Experiment) => arms.map(({ slices }) => sizeOf(slices) / POINTS);
const known = (...experiments: Experiment[]) => new Map(experiments.map((each) => [each.name, each]));
const reason = (expected: string) => (error: unknown) => (error as { reason: string }).reason === expected;

test('the same again is the same; the name with other contents is taken', () => {
  const made = makeExperiment(WANTED, known(), NOW);
  assert.deepEqual(sharesOf(made), [0.5, 0.5]);
  assert.deepEqual([made.number, made.startMs, made.cuts], [1, NOW, [{ fromMs: NOW, shares: [0.5, 0.5] }]]);
  assert.equal(makeExperiment(WANTED, known(made), NOW + 5), made);
  assert.throws(() => makeExperiment({ ...WANTED, salt: 'x' }, known(made), NOW), reason('EXPERIMENT_EXISTS'));
  const over = end(made, { how: 'stopped', atMs: NOW, reason: '' });
  assert.throws(() => makeExperiment(WANTED, known(over), NOW), /which has ended .*: choose another name/);
  const ending = makeExperiment({ ...WANTED, endMs: NOW + 9 }, known(), NOW);
  assert.equal(makeExperiment({ ...WANTED, endMs: NOW + 9 }, known(ending), NOW), ending);
  assert.throws(() => makeExperiment(WANTED, known(ending), NOW), reason('EXPERIMENT_EXISTS'));
});

test('experiments of a layer share no unit, and those that ended make room', () => {
  const first = makeExperiment({ ...WANTED, eligibleShare: 0.6 }, known(), NOW);
  const wanted = { ...WANTED, name: 'second', eligibleShare: 0.5 };
  assert.throws(() => makeExperiment(wanted, known(first), NOW), reason('LAYER_FULL'));
  const second = makeExperiment({ ...wanted, eligibleShare: 0.4 }, known(first), NOW);
  assert.ok(areDisjoint([first.layerSlices, second.layerSlices]));
  assert.equal(second.number, 2);
  assert.equal(sizeOf(makeExperiment({ ...wanted, layer: 'other' }, known(first), NOW).layerSlices), POINTS / 2);
  const ended = end(first, { how: 'stopped', atMs: NOW, reason: '' });
  assert.equal(sizeOf(makeExperiment(wanted, known(ended), NOW).layerSlices), POINTS / 2);
});

test('a change moves the fewest, and what is fixed stays', () => {
  const made = makeExperiment({ ...WANTED, eligibleShare: 0.5 }, known(), NOW);
  const weighed = { ...WANTED, eligibleShare: 0.5, arms: [WANTED.arms[0], { ...WANTED.arms[1], weight: 3 }] };
  const after = changeExperiment(made, weighed, ['arms'], known(made), NOW + 9);
  assert.deepEqual(sharesOf(after), [0.25, 0.75]);
  assert.equal(movedShare(made, after), 0.125);
  assert.deepEqual(after.cuts[1], { fromMs: NOW + 9, shares: [0.25, 0.75] });
  const wider = changeExperiment(made, { ...WANTED, eligibleShare: 0.75 }, ['eligibleShare'], known(made), NOW + 9);
  assert.equal(movedShare(made, wider), 0.25);
  const more = { ...WANTED, arms: [...WANTED.arms, { name: 'c', model: 'mf', weight: 2 }] };
  assert.deepEqual(sharesOf(changeExperiment(made, more, ['arms'], known(made), NOW + 9)), [0.25, 0.25, 0.5]);
  for (const [wanted, field] of [
    [{ ...WANTED, salt: 'other' }, 'salt'],
    [{ ...WANTED, unit: 'context.x' }, 'unit'],
    [{ ...WANTED, arms: [...WANTED.arms].reverse() }, 'arms'],
    [{ ...WANTED, arms: [{ ...WANTED.arms[0], model: 'mean' }, WANTED.arms[1]] }, 'arms'],
  ] as const)
    assert.throws(() => changeExperiment(made, wanted, [field], known(made), NOW + 9), reason('EXPERIMENT_FIXED'));
  const later = makeExperiment({ ...WANTED, startMs: NOW + 100 }, known(), NOW);
  const reversed = { ...WANTED, startMs: NOW + 100, arms: [...WANTED.arms].reverse(), salt: 'other' };
  const changed = changeExperiment(later, reversed, ['arms', 'salt'], known(later), NOW + 9);
  assert.deepEqual([changed.salt, changed.arms[0].name], ['other', 'b']);
  const earlier = changeExperiment(later, { ...WANTED, startMs: NOW + 50 }, ['startMs'], known(later), NOW + 9);
  assert.deepEqual(earlier.cuts, [{ fromMs: NOW + 50, shares: [0.5, 0.5] }]);
});

test('an arm that is stopped gives its units to the control; without its last arm an experiment ends', () => {
  const three = { ...WANTED, arms: [...WANTED.arms, { name: 'c', model: 'mf', weight: 2 }] };
  const made = makeExperiment(three, known(), NOW);
  const stopped = stopArm(made, 'b', 'is worse', NOW + 1);
  assert.deepEqual(sharesOf(stopped), [0.5, 0, 0.5]);
  assert.equal(stopped.ended, undefined);
  const owners = [made, stopped].map(({ arms }) => new Owners(arms.map(({ slices }) => slices)));
  for (let point = 0; point < POINTS; point += 2 ** 24)
    assert.equal(owners[1].find(point), [0, 0, 2][owners[0].find(point)]);
  const none = changeExperiment(
    stopped,
    { ...three, arms: three.arms.map((arm) => ({ ...arm, weight: arm.name === 'b' ? 1 : 0 })) },
    [],
    known(),
    NOW,
  );
  assert.deepEqual(sharesOf(none), sharesOf(stopped));
  assert.throws(
    () =>
      changeExperiment(
        stopped,
        { ...three, arms: three.arms.map((arm) => ({ ...arm, weight: arm.name === 'b' ? 1 : 0 })) },
        ['arms'],
        known(),
        NOW + 2,
      ),
    reason('INVALID_FIELD'),
  );
  assert.match(stopArm(stopped, 'c', 'is worse', NOW + 2).ended?.reason ?? '', /no arm is left/);
  assert.throws(
    () => changeExperiment(stopArm(stopped, 'c', '', NOW), three, [], known(), NOW),
    reason('EXPERIMENT_ENDED'),
  );
});

test('shares by weights, and what an arm began with', () => {
  const made = makeExperiment({ ...WANTED, allocation: 'thompson' }, known(), NOW);
  const weighed = reweigh(made, [0.1, 0.9], NOW + 1);
  assert.ok(Math.abs(sharesOf(weighed)[1] - 0.9) < 1e-9);
  assert.deepEqual(
    weighed.arms.map(({ baseShare }) => baseShare),
    [0.5, 0.5],
  );
});

test('so many run, so many are kept; numbers come again only when they are free', () => {
  const many = Array.from({ length: OPEN_MAX }, (_, n) =>
    makeExperiment({ ...WANTED, name: `e-${n}`, layer: `l-${n}` }, known(), NOW),
  );
  assert.throws(() => makeExperiment(WANTED, known(...many), NOW), reason('EXPERIMENTS_FULL'));
  const [one] = many;
  const ended = Array.from(
    { length: KEPT_MAX },
    (_, n): Experiment => ({
      ...one,
      name: `e-${n}`,
      number: n + 1,
      ended: { how: 'stopped', atMs: NOW - n, reason: '' },
    }),
  );
  assert.equal(findSuperfluous(known(...ended))?.name, `e-${KEPT_MAX - 1}`);
  assert.equal(findSuperfluous(known(one)), undefined);
  const last = { ...one, number: 0xffff, createdMs: NOW + 1 };
  assert.equal(makeExperiment({ ...WANTED, layer: 'x' }, known(last, ended[0]), NOW).number, 2);
});
