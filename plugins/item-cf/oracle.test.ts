import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scale } from '../../server/memory/scale.ts';
import { readMovieLensSmall } from '../../test/data.ts';
import { Lab } from '../../test/laws/lab.ts';
import type { Plugin } from '../contract/index.ts';
import plugin from './plugin.ts';
import { Reference, type TransitionRows } from './reference.ts';

/* On a real stream, every prediction and the scores of every so many events are those of the plain reference. */

const EVENTS = 12_000;
const RANK_EVERY = 97;
const TOLERANCE = 1e-6;

const SETTINGS = [
  ['as shipped', {}],
  [
    'with rows that overflow',
    {
      neighbours: { history: 50, partners: 64, shrink: 5 },
      transitions: { partners: 12, window: 9, keep: 0.9 },
      fast: { partners: 4, keep: 0.5, back: 0 },
    },
  ],
] as const;

for (const [label, input] of SETTINGS) {
  test(`predictions and rankings are those of the reference, ${label}`, () => {
    const config = plugin.config.parse(input);
    const lab = new Lab(plugin as unknown as Plugin, config, { scale: new Scale(1, 5), budgetMiB: 512 });
    const reference = new Reference(config);
    const { user, item, value, time } = readMovieLensSmall();
    let worst = 0;
    let worstScore = 0;

    /** The plugin numbers items by their first rating. */
    const numbers = new Map<number, number>();
    const numberOf = (id: number) => numbers.get(id) ?? numbers.set(id, numbers.size).size - 1;

    function compare(name: 'score' | 'fast', by: TransitionRows, asker: number): void {
      const row = lab.userRow(`${asker}`);
      const spans = [0, lab.model.items];
      const found = name === 'score' ? lab.score(row, spans) : lab.head(name, row, spans);
      const wanted = reference.scores(by, asker);
      // Scores are f32: what they are off by is measured by the largest.
      const most = Math.max(1, ...wanted.values());
      for (const [n, score] of found.entries())
        worstScore = Math.max(worstScore, Math.abs(score - (wanted.get(n) ?? 0)) / most);
    }

    for (let n = 0; n < EVENTS; n++) {
      const [u, i, r] = [user[n], item[n], Math.max(1, value[n])];
      const number = numberOf(i);
      const expected = lab.predict(`${u}`, `${i}`);
      if (n % RANK_EVERY === 0) {
        compare('score', reference.transitions, u);
        compare('fast', reference.fast, u);
      }
      worst = Math.max(worst, Math.abs(expected - reference.predict(u, number)));
      lab.teach({ user: `${u}`, item: `${i}`, value: r, time: time[n] });
      reference.learn(u, number, r);
    }
    assert.ok(worst < TOLERANCE, `a prediction is off by ${worst}`);
    assert.ok(worstScore < TOLERANCE, `a score is off by ${worstScore}`);
  });
}
