import assert from 'node:assert/strict';
import { mock, type TestContext, test } from 'node:test';
import { AccreteError } from '../errors.ts';
import { Arena } from '../memory/arena.ts';
import { Counters } from '../memory/counters.ts';
import { Revisions } from '../memory/revisions.ts';
import type { Capture } from '../store/checkpoints/capture.ts';
import type { Saved } from '../store/checkpoints/save.ts';
import { Checkpoints } from './checkpoints.ts';

/** When checkpoints are made, over a clock that stands still. */

const NEVER = { everyEvents: 0, everyMiB: 0, everySeconds: 0 };
const FULL = new AccreteError('DISK_FULL', 'the checkpoint was not written: the disk is full');

class Bench {
  readonly counters: Counters;
  readonly checkpoints: Checkpoints;
  readonly heard: string[] = [];
  /** Of what is saved next. */
  saved: Partial<Saved> = {};
  failure: AccreteError | undefined;
  models: object[] = [];
  takesMs = 0;
  /** How long until it is ready to save. */
  readyMs = 0;
  /** Of what is to be ready. */
  unready: AccreteError | undefined;
  readonly #revisions: Revisions;
  #now = 0;

  constructor(t: TestContext, config: Partial<typeof NEVER>, latest?: Saved) {
    mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
    mock.method(performance, 'now', () => this.#now);
    t.after(() => mock.reset());
    const arena = Arena.create(2 ** 20);
    this.counters = new Counters(arena);
    this.#revisions = new Revisions(arena);
    this.checkpoints = new Checkpoints({
      config: { ...NEVER, ...config },
      revisions: this.#revisions,
      counters: this.counters,
      models: () => this.models,
      capture: async (whole) => {
        this.heard.push(whole ? 'whole' : 'part');
        return { revision: this.#revisions.learned } as Capture;
      },
      save: (capture) => this.#save(capture),
      end: (isSaved) => this.heard.push(isSaved ? 'saved' : 'not saved'),
      onSaved: () => {},
      onFailure: ({ reason }) => this.heard.push(reason),
    });
    this.checkpoints.begin(latest);
  }

  learn(events: number, bytes = 0): void {
    this.#revisions.learned++;
    this.counters.add('eventsLearned', events);
    this.counters.add('bytesLearned', bytes);
  }

  /** Lets time go by; says what happened meanwhile. */
  async wait(seconds: number): Promise<string[]> {
    for (let n = 0; n < seconds; n++) {
      this.#now += 1000;
      mock.timers.tick(1000);
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    }
    return this.heard.splice(0);
  }

  async #save(capture: () => Promise<Capture>): Promise<Saved> {
    if (this.readyMs > 0) await new Promise((resolve) => setTimeout(resolve, this.readyMs));
    if (this.unready) throw this.unready;
    const { revision } = await capture();
    if (this.takesMs > 0) await new Promise((resolve) => setTimeout(resolve, this.takesMs));
    if (this.failure) throw this.failure;
    return savedOf({ revision, durationMs: this.takesMs, ...this.saved });
  }
}

function savedOf(saved: Partial<Saved>): Saved {
  return { revision: 1, createdMs: 0, durationMs: 0, bytes: 1, neededBytes: 10, fileBytes: 10, files: 1, ...saved };
}

const WHOLE = ['whole', 'saved'];
const PART = ['part', 'saved'];

test('after so many events', async (t) => {
  const bench = new Bench(t, { everyEvents: 10 });
  bench.learn(9);
  assert.deepEqual(await bench.wait(5), []);
  bench.learn(1);
  assert.deepEqual(await bench.wait(5), WHOLE);
  bench.learn(9);
  assert.deepEqual(await bench.wait(5), []);
  bench.learn(5);
  assert.deepEqual(await bench.wait(5), PART);
});

test('after so much of the journal', async (t) => {
  const bench = new Bench(t, { everyMiB: 1 });
  bench.learn(1000, 2 ** 20 - 1);
  assert.deepEqual(await bench.wait(5), []);
  bench.learn(0, 1);
  assert.deepEqual(await bench.wait(5), WHOLE);
});

test('after so long, if there is anything new', async (t) => {
  const bench = new Bench(t, { everySeconds: 10 });
  bench.learn(1);
  assert.deepEqual(await bench.wait(9), []);
  assert.deepEqual(await bench.wait(1), WHOLE);
  assert.deepEqual(await bench.wait(100), []);
  bench.learn(1);
  assert.deepEqual(await bench.wait(2), PART);
});

test('never by itself where all is 0, and when asked', async (t) => {
  const bench = new Bench(t, {});
  bench.learn(1e9, 1e12);
  assert.deepEqual(await bench.wait(10_000), []);
  await bench.checkpoints.create();
  assert.deepEqual(bench.heard, WHOLE);
});

test('after one that took long the next one by itself waits; one that is asked for does not', async (t) => {
  const bench = new Bench(t, { everyEvents: 1 });
  bench.takesMs = 10_000;
  bench.learn(1);
  assert.deepEqual(await bench.wait(11), WHOLE);
  bench.learn(1);
  assert.deepEqual(await bench.wait(39), []);
  assert.deepEqual(await bench.wait(12), PART);
  bench.learn(1);
  void bench.checkpoints.create();
  assert.deepEqual(await bench.wait(11), PART);
});

test('what a start began from is the latest one', async (t) => {
  const bench = new Bench(t, { everyEvents: 1, everySeconds: 1 }, savedOf({ revision: 2 }));
  bench.learn(0);
  bench.learn(0);
  assert.deepEqual(await bench.wait(100), []);
  assert.equal((await bench.checkpoints.create()).revision, 2);
  bench.learn(1);
  assert.deepEqual(await bench.wait(2), PART);
});

test('one that failed is told, and tried again later', async (t) => {
  const bench = new Bench(t, { everyEvents: 1 });
  bench.failure = FULL;
  bench.learn(1);
  assert.deepEqual(await bench.wait(29), ['whole', 'not saved', 'DISK_FULL']);
  assert.deepEqual(await bench.wait(5), ['whole', 'not saved', 'DISK_FULL']);
  await assert.rejects(bench.checkpoints.create(), FULL);
  bench.failure = undefined;
  bench.heard.length = 0;
  assert.deepEqual(await bench.wait(29), []);
  assert.deepEqual(await bench.wait(2), WHOLE);
});

test('nothing is marked before somebody is there to save it', async (t) => {
  const bench = new Bench(t, { everyEvents: 1 });
  bench.readyMs = 3000;
  bench.learn(1);
  assert.deepEqual(await bench.wait(3), []);
  bench.learn(1);
  assert.deepEqual(await bench.wait(2), WHOLE);
  assert.equal(bench.checkpoints.latest?.revision, 2);
  bench.unready = FULL;
  bench.learn(1);
  assert.deepEqual(await bench.wait(5), ['DISK_FULL']);
});

test('many who ask at once get one that has all that they know of', async (t) => {
  const bench = new Bench(t, {});
  bench.takesMs = 5000;
  bench.learn(1);
  const first = [bench.checkpoints.create(), bench.checkpoints.create()];
  await bench.wait(1);
  bench.learn(1);
  const later = [bench.checkpoints.create(), bench.checkpoints.create()];
  await bench.wait(15);
  const revisions = (await Promise.all([...first, ...later])).map(({ revision }) => revision);
  assert.deepEqual(revisions, [1, 1, 2, 2]);
});

test('one of many files, or of a small part of them, is followed by a whole one', async (t) => {
  const bench = new Bench(t, { everyEvents: 1 });
  const next = async (saved: Partial<Saved>) => {
    bench.saved = saved;
    bench.learn(1);
    return bench.wait(2);
  };
  assert.deepEqual(await next({ files: 7 }), WHOLE);
  assert.deepEqual(await next({ files: 8 }), PART);
  assert.deepEqual(await next({ neededBytes: 5, fileBytes: 10 }), WHOLE);
  assert.deepEqual(await next({ neededBytes: 4, fileBytes: 10 }), PART);
  assert.deepEqual(await next({}), WHOLE);
});

test('as soon as a model has joined that the latest one has not, unless none are made by themselves', async (t) => {
  const bench = new Bench(t, { everyEvents: 1000 }, savedOf({}));
  bench.learn(1);
  bench.models.push({});
  bench.learn(1);
  assert.deepEqual(await bench.wait(2), PART);
  bench.learn(1);
  assert.deepEqual(await bench.wait(10), []);
  bench.models = [{}];
  bench.failure = FULL;
  assert.deepEqual(await bench.wait(2), ['part', 'not saved', 'DISK_FULL']);
});

test('a model that joins asks for no checkpoint where there is none, or never any', async (t) => {
  const bench = new Bench(t, {}, savedOf({}));
  bench.models.push({});
  bench.learn(1);
  bench.learn(1);
  assert.deepEqual(await bench.wait(100), []);
});

test('after the stop there are none by themselves', async (t) => {
  const bench = new Bench(t, { everyEvents: 1 });
  bench.takesMs = 3000;
  bench.learn(1);
  await bench.wait(1);
  const stopped = bench.checkpoints.stop();
  bench.learn(1);
  assert.deepEqual(await bench.wait(20), WHOLE.slice(1));
  await stopped;
});
