import { type Memory, NO_ROW, type ReadTables, type WritableMemory, type WriteTables } from '../contract/index.ts';
import type { Base, LearningBase, Rule, Sides, Step } from './base.ts';
import type { MfConfig } from './config.ts';
import { driftRowsOf } from './drift.ts';
import { meanReader } from './mean.ts';
import type { MfTables } from './tables.ts';

/**
 * The plain base: m + b_u + b_i, where b += s e, s = max(floor, 1/(n + 4)) after n ratings, and of a replay another s. A
 * step that would take away more than the whole error, with that of the factors, is scaled down to that. After drift n
 * begins anew.
 */

/** Of one more rating. */
const PRIOR = { value: 3, weight: 1 };

/** Far beyond what ratings of 1 to 5 need; settings at their bounds could drive a bias there. */
export const BIAS_MAX = 10;
export const boundBias = (bias: number) => Math.min(BIAS_MAX, Math.max(-BIAS_MAX, bias));

/** What is unknown, or switched off, is left out. */
export function biasReader({ mean, bias }: MfConfig, tables: ReadTables<MfTables>, memory: Memory): Base {
  const { f32: floats } = memory;
  const meanOf = mean ? meanReader(tables, memory, PRIOR) : () => 0;
  const ofUser = tables.users.column('bias');
  const ofItem = tables.items.column('bias');
  const expect = (user: number, item: number) => {
    let expected = meanOf();
    if (bias.enabled && user !== NO_ROW) expected += floats[ofUser(user) >>> 2];
    if (bias.enabled && item !== NO_ROW) expected += floats[ofItem(item) >>> 2];
    return expected;
  };
  return { expect, past: expect };
}

export function biasLearner(config: MfConfig, tables: WriteTables<MfTables>, memory: WritableMemory): LearningBase {
  const { bias, replay } = config;
  const { f32: floats, u32: words } = memory;
  const drift = driftRowsOf({ config, tables, memory });
  const half = (name: 'users' | 'items', floor: number) => {
    const table: WriteTables<MfTables>['users'] = tables[name];
    const biasOf = table.column('bias');
    const ratingsOf = table.column('ratings');
    return {
      step(row: number, rule: Rule): number {
        if (!bias.enabled) return 0;
        if (rule !== 'live') return replay.biasStep;
        return Math.max(floor, 1 / ((drift ? drift.since(name, row) : words[ratingsOf(row) >>> 2]) + 4));
      },
      move(row: number, by: number): void {
        const at = biasOf(row) >>> 2;
        floats[at] = boundBias(floats[at] + by);
      },
      fit(row: number, rate: number, error: number, l2: number): void {
        const at = biasOf(row) >>> 2;
        floats[at] = boundBias(floats[at] + rate * (error - l2 * floats[at]));
      },
    };
  };
  const users = half('users', bias.userFloor);
  const items = half('items', bias.itemFloor);
  return {
    ...biasReader(config, tables, memory),

    learn(sides: Sides, rule: Rule, { user, item, weight, error, reach }: Step): number {
      const ofUser = sides === 'items' ? 0 : users.step(user, rule);
      const ofItem = sides === 'users' ? 0 : items.step(item, rule);
      const scale = Math.min(weight, 1 / (ofUser + ofItem + reach));
      if (ofUser > 0) users.move(user, scale * ofUser * error);
      if (ofItem > 0) items.move(item, scale * ofItem * error);
      return scale;
    },

    reopen() {},
    arrive() {},
    begin: () => false,

    fitReach: bias.enabled ? 2 : 0,
    fit(user, item, rate, error, l2) {
      if (!bias.enabled) return;
      users.fit(user, rate, error, l2);
      items.fit(item, rate, error, l2);
    },
  };
}
