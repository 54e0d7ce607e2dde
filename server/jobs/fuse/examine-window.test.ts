import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Plugin } from '../../../plugins/contract/index.ts';
import mf from '../../../plugins/mf/plugin.ts';
import { recordsOf, Stage } from '../../../test/fuse/stage.ts';
import { firstRatings, mixedStream } from '../../../test/laws/streams.ts';
import { NOT_RANKED } from './answer-sheet.ts';
import { examineWindow } from './examine-window.ts';

const plugin = mf as unknown as Plugin;
const SIZE = { users: 150, items: 15, events: 600 };
/** Records of 50; the window, in which nothing is taken back, begins after the sixth. */
const RECORDS = recordsOf(mixedStream(1, SIZE).map((rating, n) => ({ ...rating, retract: rating.retract && n < 300 })));
const [BEFORE, WINDOW] = [RECORDS.slice(0, 6), RECORDS.slice(6)];

/** A live model before the window, and a candidate that has learned as much. */
function prepare({ live = plugin, candidate = plugin }: { live?: Plugin; candidate?: Plugin } = {}) {
  const stage = new Stage();
  const models = { live: stage.model(live, { k: 4 }), candidate: stage.model(candidate, { k: 4, seed: 2 }) };
  stage.learn([models.live, models.candidate], BEFORE);
  return { stage, ...models };
}

describe('a window', () => {
  test('is answered before it is learned, as it was live, first ratings alone', () => {
    const { stage, live, candidate } = prepare();
    const before = live.prequential.figures();
    const { user, live: said, candidate: other } = stage.examine(live, candidate, WINDOW);
    const [all, old] = [live.prequential.figures(), before].map((figures) => figures.find((f) => f.metric === 'rmse'));
    assert.ok(all && old);
    assert.equal(user.length, all.count - old.count);
    assert.deepEqual([said.error.length, other.error.length, said.rank.length], Array(3).fill(user.length));
    const squared = said.error.reduce((sum, error) => sum + error * error, 0);
    const recorded = all.value ** 2 * all.count - old.value ** 2 * old.count;
    assert.ok(Math.abs(squared - recorded) < 1e-6, `${squared}, not ${recorded}`);
    assert.ok(said.rank.every((rank) => rank === 0));
    assert.notDeepEqual(said.error, other.error);
  });

  test('is learned by both in the end, to the bytes of a model that learned it live', () => {
    const { stage, live, candidate } = prepare();
    stage.examine(live, candidate, WINDOW);
    const plain = new Stage();
    const [one, other] = [plain.model(plugin, { k: 4 }), plain.model(plugin, { k: 4, seed: 2 })];
    plain.learn([one, other], RECORDS);
    assert.equal(live.hashes(stage.kernels).all, one.hashes(plain.kernels).all);
    assert.equal(candidate.hashes(stage.kernels).all, other.hashes(plain.kernels).all);
    assert.deepEqual(stage.world.hashes(stage.kernels), plain.world.hashes(plain.kernels));
  });

  test('names users by rows that they have or get, and counts a pair once, as it stands in the end', () => {
    const ratings = [
      { user: 'new', item: 'a', value: 5 },
      { user: 'new', item: 'a', value: 4 },
      { user: 'new', item: 'a', retract: true },
      { user: 'new', item: 'a', value: 2 },
      { user: 'nobody', item: 'a', value: 3, retract: true },
      { user: 'newer', item: 'b', value: 1 },
      { user: 'gone', item: 'b', value: 1 },
      { user: 'gone', item: 'b', retract: true },
      // Someone who is forgotten had a row made here.
      { user: '', item: '', value: Number.NaN, retract: true },
    ];
    const stage = new Stage();
    const [live, candidate] = [stage.model(plugin), stage.model(plugin)];
    stage.learn([live, candidate], recordsOf(firstRatings(2, { users: 3, items: 3, events: 9 })));
    const window = recordsOf(ratings).map(({ record }) => ({ revision: stage.reached + 1, record }));
    const rows = stage.world.users.rows;
    const answers = stage.examine(live, candidate, window);
    assert.deepEqual(answers.user, [rows, rows + 1]);
    assert.deepEqual([answers.live.error.length, answers.candidate.error.length], [2, 2]);
    assert.equal(stage.world.users.rows, rows + 4);
  });

  test('does not count what was taken back in it, and is learned by both all the same', () => {
    const spam = Array.from({ length: 40 }, (_, n) => ({ user: `spam-${n}`, item: 'item-1', value: 1 }));
    const more = recordsOf([...spam, ...spam.map((rating) => ({ ...rating, retract: true }))]);
    const last = RECORDS[RECORDS.length - 1].revision;
    const window = [...WINDOW, ...more.map(({ record }, n) => ({ revision: last + 1 + n, record }))];
    const [plain, spammed] = [prepare(), prepare()];
    const expected = plain.stage.examine(plain.live, plain.candidate, WINDOW, { rankEvery: 3 });
    const answers = spammed.stage.examine(spammed.live, spammed.candidate, window, { rankEvery: 3 });
    assert.deepEqual(answers, expected);
    const learned = new Stage();
    const model = learned.model(plugin, { k: 4 });
    learned.learn([model], [...BEFORE, ...window]);
    assert.equal(spammed.live.hashes(spammed.stage.kernels).all, model.hashes(learned.kernels).all);
  });

  for (const rankEvery of [1, 3]) {
    test(`is ranked as it is live, one in ${rankEvery}`, () => {
      const { stage, live, candidate } = prepare();
      const { live: said, candidate: other } = stage.examine(live, candidate, WINDOW, { rankEvery });
      const plain = new Stage();
      const models = [plain.model(plugin, { k: 4 }), plain.model(plugin, { k: 4, seed: 2 })];
      plain.learn(models, BEFORE);
      plain.learn(models, WINDOW, rankEvery);
      for (const [n, { rank }] of [said, other].entries()) {
        const ranks = rank.filter((each) => each !== NOT_RANKED);
        const figures = models[n].prequential.figures().filter(({ window }) => window === 'total');
        const [hits, gain] = ['hit_rate@10', 'ndcg@10'].map((name) => figures.find(({ metric }) => metric === name));
        assert.equal(ranks.length, hits?.count);
        const inTen = ranks.filter((each) => each <= 10);
        assert.equal(inTen.length, Math.round((hits?.value ?? 0) * ranks.length));
        const sum = inTen.reduce((total, each) => total + 1 / Math.log2(1 + each), 0);
        assert.ok(Math.abs(sum / ranks.length - (gain?.value ?? 0)) < 1e-9);
      }
    });
  }

  test('gives control back after every record, and can be left off', () => {
    const { stage, live, candidate } = prepare();
    const seen: number[] = [];
    const { kernels, reached } = stage;
    const [one, other] = [live, candidate].map((model) => ({ model, seenTo: reached }));
    const exam = { host: stage, kernels, reached, live: one, candidate: other, rankEvery: 1 };
    for (const revision of examineWindow(exam, WINDOW)) if (seen.push(revision) === 2) break;
    assert.deepEqual(seen, [7, 8]);
    const plain = new Stage();
    plain.learn([plain.model(plugin, { k: 4 })], RECORDS.slice(0, 8));
    assert.deepEqual(stage.world.hashes(kernels), plain.world.hashes(plain.kernels));
  });
});

describe('refused is', () => {
  const refusal = { reason: 'WINDOW_SEEN', kind: 'failedPrecondition' };

  test('a candidate that holds something of the window', () => {
    const { stage, live, candidate } = prepare();
    assert.throws(() => stage.examine(live, candidate, WINDOW, { seenTo: 7 }), {
      ...refusal,
      message:
        'A candidate for mf has seen the window that it would be judged by, which begins after record 6: it holds what ' +
        'record 7 brought; make it from a state of record 6 or before',
    });
  });

  test('a candidate that has learned more events than there were, whatever is said of it', () => {
    const { stage, live, candidate } = prepare();
    candidate.nextEvent(0, 0);
    assert.throws(() => stage.examine(live, candidate, WINDOW), {
      ...refusal,
      message: /it has learned 272 events of 271/,
    });
  });

  test('a model of another world', () => {
    const [one, other] = [prepare(), prepare()];
    assert.throws(() => one.stage.examine(one.live, other.candidate, WINDOW), /of another world/);
  });

  test('a window that begins elsewhere', () => {
    const { stage, live, candidate } = prepare();
    assert.throws(() => stage.examine(live, candidate, RECORDS.slice(7)), /record 8 follows record 6/);
    assert.throws(() => stage.examine(live, candidate, RECORDS.slice(5)), /record 6 follows record 6/);
  });

  test('a model that fails on the way, by what it is', () => {
    for (const [role, who] of [
      ['live', 'live model'],
      ['candidate', 'candidate'],
    ] as const) {
      let learned = 0;
      const failing: Plugin = {
        ...plugin,
        learner: (context) => {
          const inner = plugin.learner(context);
          return {
            ...inner,
            learn(event) {
              if (++learned > 300) throw new Error('too much');
              inner.learn(event);
            },
          };
        },
      };
      const { stage, live, candidate } = prepare({ [role]: failing });
      assert.throws(() => stage.examine(live, candidate, WINDOW), {
        reason: 'MODEL_FAILED',
        message: `The ${who} failed while it was tested: Error: too much`,
      });
    }
  });
});
