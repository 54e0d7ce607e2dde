import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FusionPeriod } from '../config/fusion-period.ts';
import { AccreteError } from '../errors.ts';
import type { Change } from '../store/history.ts';
import { withEntry } from '../store/history.ts';
import { FusionPeriods } from './fusion-periods.ts';
import type { ModelDirectory, ModelEntry } from './model-directory.ts';

const EVENTS = { everyEvents: 1000, strategy: 'refit', sources: [] } as const satisfies FusionPeriod;
const SECONDS = { everySeconds: 60, strategy: 'refit', sources: [] } as const satisfies FusionPeriod;

/** Models that learn as they are told, and periods that look when they are told. */
class Stage {
  readonly entries = new Map<string, ModelEntry>();
  readonly fused: string[] = [];
  readonly recorded: [string, Change][] = [];
  nowMs = 0;
  /** What the next Fuse comes to. */
  failure: AccreteError | undefined;
  readonly periods: FusionPeriods;
  /** Resolves the Fuse that is under way, where it is to take its time. */
  finish: (() => void) | undefined;
  isSlow = false;

  constructor() {
    this.periods = new FusionPeriods({
      directory: {
        entries: { [Symbol.iterator]: () => this.entries.values() },
        requireEntry: (name: string) => this.entries.get(name),
        find: (name: string) => this.entries.get(name),
      } as unknown as ModelDirectory,
      fuse: async (name) => {
        this.fused.push(name);
        if (this.isSlow) await new Promise<void>((resolve) => (this.finish = resolve));
        if (this.failure) throw this.failure;
        this.remember(name, 'refused');
      },
      record: async (name, change) => {
        this.recorded.push([name, change]);
        this.remember(name, change.outcome);
      },
      onDue: () => {},
      onFailure: () => {},
      now: () => this.nowMs,
    });
  }

  add(name: string, fuse: FusionPeriod | undefined): void {
    const decided = { name, plugin: 'mf', config: {}, loadedMs: 0, fuse };
    const entry = { choice: decided, state: 'AVAILABLE', reason: '', decided } as const;
    const made = { ...entry, model: { version: '1', prequential: { events: 0, quarantinedAt: 0 } } };
    this.entries.set(name, made as unknown as ModelEntry);
  }

  learn(name: string, count: number): void {
    const prequential = this.entries.get(name)?.model?.prequential as { events: number } | undefined;
    if (prequential) prequential.events += count;
  }

  remember(name: string, outcome: Change['outcome']): void {
    const entry = this.entries.get(name) as ModelEntry;
    const { events: learned } = entry.model?.prequential ?? { events: 0 };
    const how = { kind: 'fuse', by: 'period', strategy: 'refit', sources: [], reason: '' } as const;
    const change: Change = { ...how, outcome, atMs: this.nowMs, learned, previous: '1', version: '' };
    const decided = entry.decided && { ...entry.decided, history: withEntry(entry.decided.history, change, 1) };
    this.entries.set(name, { ...entry, decided });
  }
}

test('a period of events is over once for each that has passed, and begins anew with the Fuse', async () => {
  const stage = new Stage();
  stage.add('one', EVENTS);
  stage.add('never', undefined);
  stage.learn('never', 5000);
  for (const [count, fused] of [
    [999, 0],
    [1, 1],
    [0, 1],
    [999, 1],
    // Three at once are one.
    [3000, 2],
    [0, 2],
  ]) {
    stage.learn('one', count);
    await stage.periods.look();
    assert.equal(stage.fused.length, fused);
  }
  assert.equal(stage.periods.passed().get('one'), 0);
  // A version comes back that has learned less.
  stage.learn('one', -10);
  assert.equal(stage.periods.passed().get('one'), 0);
  stage.learn('one', 510);
  assert.equal(stage.periods.passed().get('one'), 0.5);
});

test('a model that began anew after its last Fuse counts from its beginning', async () => {
  const stage = new Stage();
  stage.add('one', EVENTS);
  stage.learn('one', 5000);
  await stage.periods.look();
  const { decided, ...entry } = stage.entries.get('one') as ModelEntry;
  stage.entries.set('one', { ...entry, decided: { ...decided, exactFrom: 2 } as ModelEntry['decided'] });
  stage.learn('one', -4500);
  assert.equal(stage.periods.passed().get('one'), 0.5);
});

test('a period of time is over only where something was learned since', async () => {
  const stage = new Stage();
  stage.add('one', SECONDS);
  stage.nowMs = 600_000;
  await stage.periods.look();
  assert.deepEqual(stage.fused, []);
  stage.learn('one', 1);
  await stage.periods.look();
  await stage.periods.look();
  stage.learn('one', 1);
  stage.nowMs += 59_999;
  await stage.periods.look();
  assert.deepEqual(stage.fused, ['one']);
  stage.nowMs++;
  await stage.periods.look();
  assert.deepEqual(stage.fused, ['one', 'one']);
});

test('one at a time, the one that waits longest first', async () => {
  const stage = new Stage();
  for (const name of ['one', 'two']) stage.add(name, EVENTS);
  stage.learn('one', 1500);
  stage.learn('two', 2500);
  stage.isSlow = true;
  const looking = stage.periods.look();
  await stage.periods.look();
  assert.deepEqual(stage.fused, ['two']);
  stage.finish?.();
  await looking;
  stage.isSlow = false;
  for (let n = 0; n < 3; n++) await stage.periods.look();
  assert.deepEqual(stage.fused, ['two', 'one']);
});

test('what comes to no decision is told, and waits for the next period', async () => {
  const stage = new Stage();
  stage.add('one', EVENTS);
  stage.learn('one', 1000);
  stage.failure = new AccreteError('TOO_FEW_EVENTS', 'there are too few');
  for (let n = 0; n < 3; n++) await stage.periods.look();
  assert.deepEqual(stage.fused, ['one']);
  const [[name, change], ...none] = stage.recorded;
  assert.deepEqual([name, change.outcome, change.reason, change.learned], ['one', 'failed', 'there are too few', 1000]);
  assert.deepEqual(none, []);
});

test('where somebody else is at it, it is tried again after a while, and nothing is told', async () => {
  const stage = new Stage();
  stage.add('one', EVENTS);
  stage.learn('one', 1000);
  stage.failure = new AccreteError('MODEL_CHANGING', 'wait');
  await stage.periods.look();
  stage.nowMs += 9999;
  await stage.periods.look();
  assert.deepEqual([stage.fused, stage.recorded], [['one'], []]);
  stage.nowMs++;
  stage.failure = undefined;
  await stage.periods.look();
  assert.deepEqual(stage.fused, ['one', 'one']);
});

test('once the server stops nothing is begun, and what is cut off is no failure', async () => {
  const stage = new Stage();
  stage.add('one', EVENTS);
  stage.learn('one', 1000);
  stage.isSlow = true;
  const looking = stage.periods.look();
  const draining = new AccreteError('DRAINING', 'it stops');
  stage.periods.stop(draining);
  stage.failure = new AccreteError('MODEL_FAILED', 'cut off');
  stage.finish?.();
  await looking;
  stage.isSlow = false;
  await stage.periods.look();
  assert.deepEqual([stage.fused, stage.recorded], [['one'], []]);
});
