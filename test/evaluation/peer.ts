import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { NO_ROW } from '../../plugins/contract/index.ts';
import type { Examination } from '../../server/jobs/evaluation/evaluate.ts';
import type { Lists } from '../../server/jobs/evaluation/observations.ts';
import { RANK_MISS } from '../../server/models/prequential.ts';

/** scikit-learn as the independent judge of figures, in an environment of its own under `build/`. */

const VERSION = '1.7.2';
const PACKAGES = [`scikit-learn==${VERSION}`];
const folder = fileURLToPath(new URL(`../../build/peers/${PACKAGES.join('+')}`, import.meta.url));
const python = `${folder}/bin/python`;
const script = fileURLToPath(new URL('./peer.py', import.meta.url));
/** An installation that takes longer is given up. */
const INSTALL_MS = 180_000;

/** By model: figures and intervals by metric. */
export type Judgement = Readonly<
  Record<
    string,
    {
      readonly figures: Readonly<Record<string, number>>;
      readonly intervals: Readonly<Record<string, readonly [number, number]>>;
    }
  >
>;

/** Installs what is needed, once; why it cannot, or false. Suits the option `skip` of a test. */
export function findMissing(): string | false {
  const probe = ['-c', 'import sklearn.metrics'];
  // What is installed is there: to load it takes longer than to ask for it.
  const glance = ['-c', `from importlib.metadata import version as of; assert of('scikit-learn') == '${VERSION}'`];
  if (existsSync(python) && !failureOf(python, glance)) return false;
  const why =
    failureOf('python3', ['-m', 'venv', '--clear', folder]) ??
    failureOf(python, ['-m', 'pip', 'install', '--quiet', '--retries', '1', '--timeout', '10', ...PACKAGES]) ??
    failureOf(python, probe);
  return why === undefined ? false : `${PACKAGES} for Python cannot be had: ${why}`;
}

/** The largest cut-off: so many places there must be, however low the ranks. */
const PLACES_MIN = 101;

/** What was learned, told without the code that is judged. */
export interface Learned {
  /** By row: how many learned ratings an item has, and its categories. */
  readonly ratings: readonly number[];
  readonly categories: readonly (readonly string[])[];
  /** Users who have learned ratings. */
  readonly raters: number;
}

/** In one call: the peer takes longer to begin than to judge. `cutoffs`: of the metrics of lists. */
export function judge(
  examinations: readonly { readonly examination: Examination; readonly learned: Learned }[],
  cutoffs: readonly number[],
): Judgement[] {
  const input = JSON.stringify(examinations.map((one) => ({ ...studyOf(one.examination), ...one.learned, cutoffs })));
  const { status, stdout, stderr } = spawnSync(python, [script], { input, encoding: 'utf8', maxBuffer: 2 ** 24 });
  if (status !== 0) throw new Error(`the peer failed: ${stderr}`);
  return JSON.parse(stdout) as Judgement[];
}

function studyOf({ observations, answers, scale }: Examination): object {
  const ranks = answers.flatMap(({ rank }) => [...rank]).filter((rank) => rank !== RANK_MISS);
  return {
    places: ranks.reduce((most, rank) => Math.max(most, rank + 1), PLACES_MIN),
    scale: [scale.min, scale.max],
    step: observations.step,
    users: [...observations.user],
    items: [...observations.item],
    values: [...observations.value],
    models: answers.map(({ model, predicted, rank, candidates, lists }) => ({
      name: model,
      predicted: predicted ? [...predicted] : null,
      ranks: Array.from(rank, (place) => (place === RANK_MISS ? null : place)),
      candidates: [...candidates],
      lists: lists ? rowsOf(lists) : null,
    })),
  };
}

function rowsOf({ length, items }: Lists): number[][] {
  return Array.from({ length: items.length / length }, (_, user) =>
    [...items.subarray(user * length, (user + 1) * length)].filter((item) => item !== NO_ROW),
  );
}

/** Why a command failed, or undefined. */
function failureOf(command: string, args: readonly string[]): string | undefined {
  const { error, status, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: INSTALL_MS });
  if (error) return error.message;
  return status === 0 ? undefined : `${command} ${args.join(' ')}: ${stderr.trim().split('\n').at(-1)}`;
}
