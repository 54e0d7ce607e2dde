import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Random } from '../../../plugins/contract/index.ts';
import { Meter } from '../meter.ts';
import { type Decision, type GuardTerms, MARGIN_DEFAULT } from './decision.ts';
import { decide } from './guard.ts';
import type { PairedScores } from './paired-means.ts';

const meter = new Meter(() => {});
const TERMS: GuardTerms = { margin: MARGIN_DEFAULT, spent: 0, seed: 1 };

/** Users with one event each, whose live loss is 1. */
function lossesOf(candidate: readonly number[]): PairedScores {
  return { user: Array.from(candidate.keys()), live: candidate.map(() => 1), candidate };
}

const always = (loss: number, users = 100) => lossesOf(new Array<number>(users).fill(loss));
/** A mean difference of `difference` that the interval reaches about .02 around. */
const about = (difference: number) =>
  lossesOf(Array.from({ length: 100 }, (_, n) => 1 + difference + (n % 2 === 0 ? 0.1 : -0.1)));
const judge = (losses: PairedScores, terms: Partial<GuardTerms> = {}) => decide(losses, { ...TERMS, ...terms }, meter);

describe('the verdict', () => {
  for (const [name, losses, verdict, passed] of [
    ['surely better', about(-0.1), 'better', true],
    ['better, and not surely', about(-0.018), 'tolerated', true],
    ['the same', always(1), 'tolerated', true],
    ['worse by less than the margin', always(1.004), 'tolerated', true],
    ['worse by more', always(1.006), 'worse', false],
    ['worse, and not surely', about(0.01), 'unsure', false],
    ['equal, and not surely', about(0), 'unsure', false],
    ['of too few users', always(0.5, 9), 'few', false],
    ['of enough users', always(0.5, 10), 'better', true],
    ['of one user', { user: [3, 3], live: [1, 1], candidate: [0, 0] }, 'few', false],
  ] as const) {
    test(name, () => {
      const decision = judge(losses);
      assert.deepEqual([decision.verdict, decision.passed], [verdict, passed], decision.reason);
    });
  }

  test('the margin is a share of what the live model loses, whatever the unit', () => {
    const scaled = ({ user, live, candidate }: PairedScores) => ({
      user,
      live: live.length ? Array.from(live, (loss) => 100 * loss) : [],
      candidate: Array.from(candidate, (loss) => 100 * loss),
    });
    assert.equal(judge(scaled(always(1.004))).verdict, 'tolerated');
    assert.equal(judge(always(1.004), { margin: 0.003 }).verdict, 'worse');
    assert.equal(judge(always(1.004), { margin: 0 }).verdict, 'worse');
    assert.equal(judge(about(0), { margin: 0.05 }).verdict, 'tolerated');
  });

  test('of a live model that loses nothing only the same is tolerated', () => {
    const none = { user: [...Array(20).keys()], live: Array(20).fill(0), candidate: Array(20).fill(0) };
    assert.deepEqual([judge(none).verdict, judge(none, { spent: 0.001 }).spent], ['tolerated', 0.001]);
    assert.equal(judge({ ...none, candidate: Array(20).fill(1e-9) }).verdict, 'worse');
  });

  test('the same losses and seed give the same decision', () => {
    assert.deepEqual(judge(about(0)), judge(about(0)));
    assert.notDeepEqual(judge(about(0)).interval, judge(about(0), { seed: 2 }).interval);
  });
});

describe('the margin is spent', () => {
  const near = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-9, `${actual}`);

  test('by the upper bound of what was tolerated', () => {
    const first = judge(always(1.002));
    near(first.margin, 0.005);
    near(first.marginLeft, 0.003);
    near(first.spent, 0.002);
    const second = judge(always(1.002), { spent: first.spent });
    near(second.margin, 0.003);
    near(second.spent, 0.004);
    const third = judge(always(1.002), { spent: second.spent });
    assert.equal(third.verdict, 'worse');
    near(third.spent, 0.004);
    near(third.marginLeft, 0.001);
  });

  test('what seems better, but not surely, spends too and gives nothing back', () => {
    const { verdict, interval, spent } = judge(about(-0.018), { spent: 0.001 });
    assert.equal(verdict, 'tolerated');
    near(spent, 0.001 + (interval?.upper ?? Number.NaN));
  });

  test('what is surely better gives all back, and makes no credit', () => {
    const decision = judge(about(-0.5), { spent: 0.004 });
    assert.equal(decision.spent, 0);
    near(decision.margin, 0.001);
    near(decision.marginLeft, 0.005);
  });

  test('a copy of the live model gives nothing back', () => {
    assert.equal(judge(always(1), { spent: 0.004 }).spent, 0.004);
    assert.equal(judge(always(1), { spent: 0.9 }).passed, true);
  });

  test('a smaller margin than was spent tolerates no loss', () => {
    const decision = judge(always(1.001), { spent: 0.004, margin: 0.003 });
    assert.deepEqual([decision.verdict, decision.margin, decision.marginLeft], ['worse', 0, 0]);
  });
});

describe('a row of slightly worse candidates', () => {
  const TRIES = 200;
  /** Each really loses a fifth of the margin; what is seen of that strays by about .0015. */
  const LOSS = 0.001;

  /** What the model has really lost after all tries, in margins, when `spend` says what a promotion spends. */
  function walk(seed: number, spend: (decision: Decision, spent: number) => number): number {
    const random = new Random();
    random.key(seed, 0);
    let [spent, lost] = [0, 0];
    for (let n = 0; n < TRIES; n++) {
      const noise = () => (random.next() / 2 ** 32 - 0.5) * 0.052;
      const decision = judge(lossesOf(Array.from({ length: 100 }, () => 1 + LOSS + noise())), { spent, seed: n });
      if (!decision.passed) continue;
      lost += LOSS / MARGIN_DEFAULT;
      spent = spend(decision, spent);
    }
    return lost;
  }

  test('does not walk away with the model', () => {
    const lost = [1, 2, 3].map((seed) => walk(seed, ({ spent }) => spent));
    assert.ok(
      lost.every((margins) => margins <= 4),
      `${lost} margins`,
    );
  });

  test('would, if promotions spent the differences that were found', () => {
    const found = ({ verdict, difference }: Decision, spent: number) => (verdict === 'better' ? 0 : spent + difference);
    const neverBelow = (decision: Decision, spent: number) => Math.max(spent, found(decision, spent));
    for (const spend of [found, neverBelow]) {
      const lost = [1, 2, 3].map((seed) => walk(seed, spend));
      assert.ok(
        lost.every((margins) => margins > 6),
        `${lost} margins`,
      );
    }
  });
});

describe('the reason says the numbers and what to do', () => {
  for (const [losses, terms, reason] of [
    [
      about(-0.1),
      {},
      /^The candidate is better: over 100 events of 100 users its mean loss is 0\.1 below the live model's 1 \(95% interval -0\.1\d* to -0\.0\d+\); the whole margin is there again$/,
    ],
    [
      always(1.002),
      {},
      /0\.002 above .* within 0\.005, 0\.5% of the live model's; 0\.003 is left until a candidate is better by itself$/,
    ],
    [always(1.002), { spent: 0.002 }, /within 0\.003, what earlier promotions left of 0\.5% of the live model's/],
    [
      always(1.01),
      {},
      /^The candidate is worse: .* beyond 0\.005, .* The live model stays: make the candidate otherwise, or accept it with a guard\.margin of 0\.01(01)?$/,
    ],
    [always(3), {}, /make the candidate otherwise$/],
    [
      about(0),
      {},
      /^The candidate may be worse than is tolerated: .* equal to .* judge by more events \(guard\.window_events\), try again when there are more, or accept it with a guard\.margin of 0\.0\d+$/,
    ],
    [always(0.5, 9), {}, /^Only 9 users stand behind the 9 events, and 10 are needed .*: judge by more events/],
  ] as const) {
    test(String(reason), () => assert.match(judge(losses, terms).reason, reason));
  }

  test('and with the margin that it names the candidate passes', () => {
    for (const spent of [0, 0.004]) {
      const { reason } = judge(about(0.01), { spent });
      const margin = Number(/guard\.margin of ([\d.]+)/.exec(reason)?.[1]);
      assert.ok(judge(about(0.01), { spent, margin }).passed);
      assert.ok(!judge(about(0.01), { spent, margin: margin - 2e-4 }).passed);
    }
  });
});
