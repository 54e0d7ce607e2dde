import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Log, type OffPolicyFigures, offPolicyFigures } from '../../server/experiments/statistics/off-policy.ts';
import { expectRewards } from '../../server/experiments/statistics/reward-model.ts';

/**
 * The Open Bandit data set (Saito et al. 2020), campaign "men": what two policies showed, with which propensity, and whether it
 * was clicked. Each policy's click rate can be estimated from the other one's log, and is known.
 */

const FOLDER = process.env.ACCRETE_SHARED_DATA ?? fileURLToPath(new URL('../../../shared/data', import.meta.url));
const BYTES_MAX = 2 ** 26;
const ITEMS = 34;
const PLACES = 3;

export interface BanditLog extends Log {
  readonly item: Uint32Array;
  /** From 0 on. */
  readonly place: Uint32Array;
}

/** The chance of an item at a place. */
export type Policy = (item: number, place: number) => number;

export type FoundLog =
  | { readonly skip: false; readonly log: BanditLog }
  | { readonly skip: string; readonly log?: undefined };

/** What the uniform policy showed (`random`), or Thompson sampling (`bts`): 10,000 places each. */
export function findOpenBandit(policy: 'random' | 'bts'): FoundLog {
  const path = `${FOLDER}/open-bandit-men/${policy}_men.csv.xz`;
  if (!existsSync(path)) return { skip: `${path} is not there (see test/data/README.md)` };
  const { error, status, stdout, stderr } = spawnSync('xz', ['--decompress', '--stdout', path], {
    encoding: 'utf8',
    maxBuffer: BYTES_MAX,
  });
  if (error) return { skip: `${path} needs the command xz: ${error.message}` };
  if (status !== 0) throw new Error(`xz cannot read ${path}: ${stderr}`);
  const [head, ...lines] = stdout.trimEnd().split('\n');
  const names = head.split(',');
  const rows = lines.map((line) => line.split(','));
  const column = (name: string) => rows.map((cells) => Number(cells[names.indexOf(name)]));
  return {
    skip: false,
    log: {
      // Nothing in the set says which places one user saw.
      unit: Uint32Array.from(rows.keys()),
      item: Uint32Array.from(column('item_id')),
      place: Uint32Array.from(column('position'), (position) => position - 1),
      propensity: Float64Array.from(column('propensity_score')),
      reward: Float64Array.from(column('click')),
    },
  };
}

export const uniform: Policy = () => 1 / ITEMS;

/** How often a log has each item at each place. */
export function meanPolicy({ item, place }: BanditLog): Policy {
  const counts = Array.from({ length: PLACES }, () => new Float64Array(ITEMS));
  const places = new Float64Array(PLACES);
  for (let n = 0; n < item.length; n++) {
    counts[place[n]][item[n]]++;
    places[place[n]]++;
  }
  return (of, at) => counts[at][of] / places[at];
}

export function clickRate({ reward }: Log): number {
  return reward.reduce((sum, one) => sum + one, 0) / reward.length;
}

/** The click rate of a policy, from what another one showed. */
export function estimate(log: BanditLog, policy: Policy, clip?: number): OffPolicyFigures {
  const { unit, item, place } = log;
  const expect = expectRewards(log, item);
  const of = (whose: number, at: number) =>
    Array.from({ length: ITEMS }, (_, one) => policy(one, at) * expect(whose, one)).reduce((a, b) => a + b, 0);
  return offPolicyFigures(
    log,
    {
      probability: Float64Array.from(item, (one, n) => policy(one, place[n])),
      expected: Float64Array.from(item, (one, n) => expect(unit[n], one)),
      expectedOfTarget: Float64Array.from(unit, (whose, n) => of(whose, place[n])),
    },
    clip,
  );
}
