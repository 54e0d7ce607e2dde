import { readMovieLensSmall } from '../data.ts';
import { ClickTrial, type Decision, type Reader, type Side } from '../exploration/click-trial.ts';
import { readersOf } from '../exploration/readers.ts';
import { ofRounds, type Report } from './report.ts';

/**
 * How many lists it takes to find out by clicks which of two models is better: with half of the users for each, and with both
 * in every list. Users, rankings and what attracts are of real ratings (`readers.ts`), clicks are of a model
 * (`click-trial.ts`); the hash, the draft and the statistics are the server's.
 */

const part = 'interleaving';
const MODEL = 'item-cf';
const RUNS = Number(process.env.SEEDS ?? 21);
/** Lists until a trial is given up. */
const MOST = 100_000;
const EQUAL_RUNS = 200;
const EQUAL_LISTS = 4000;

const PAIRS: readonly { readonly name: string; readonly sides: readonly [Side, Side]; readonly isSpoiled: boolean }[] =
  [
    { name: 'SWAP2', sides: [{ model: MODEL, swaps: 2 }, { model: MODEL }], isSpoiled: true },
    { name: 'SWAP4', sides: [{ model: MODEL, swaps: 4 }, { model: MODEL }], isSpoiled: true },
    { name: 'popularity', sides: [{ model: 'popularity' }, { model: MODEL }], isSpoiled: false },
  ];

export async function benchInterleaving(report: Report): Promise<void> {
  report.heading(`Interleaving: lists until it is clear that ${MODEL} is better, ml-latest-small`);
  const readers = await readersOf(readMovieLensSmall(), [MODEL, 'popularity']);
  for (const pair of PAIRS) benchPair(report, readers, pair);
  benchEqual(report, readers);
}

/** Two sides that are as good: how often one is said to be better at any of the looks. */
function benchEqual(report: Report, readers: readonly Reader[]): void {
  const side = { model: MODEL, swaps: 4 };
  const trials = Array.from({ length: EQUAL_RUNS }, (_, n) =>
    new ClickTrial(readers, [side, side], n + 1).interleave(EQUAL_LISTS),
  );
  const value = trials.filter(({ better }) => better !== undefined).length / EQUAL_RUNS;
  const name = `equal sides: decided within ${EQUAL_LISTS} lists, of ${EQUAL_RUNS} trials`;
  report.add({ part, name, value, unit: '', target: { atMost: 0.05 } });
}

function benchPair(
  report: Report,
  readers: readonly Reader[],
  { name, sides, isSpoiled }: (typeof PAIRS)[number],
): void {
  const [worse, better] = new ClickTrial(readers, sides, 0).rates(50_000);
  for (const [which, rate] of [
    [name, worse],
    [MODEL, better],
  ] as const)
    report.add({ part, name: `against ${name}: lists of ${which} that are clicked on`, value: 100 * rate, unit: '%' });
  const trials = Array.from({ length: RUNS }, (_, n) => new ClickTrial(readers, sides, n + 1));
  const drafted = trials.map((trial) => trial.interleave(MOST));
  const split = Array.from({ length: RUNS }, (_, n) => new ClickTrial(readers, sides, n + 1).split(MOST));
  const [fewer, more] = [tell(report, `${name}, both in a list`, drafted), tell(report, `${name}, half each`, split)];
  report.add({
    part,
    name: `against ${name}: times as many lists for half each (of medians; not decided counts as ${MOST})`,
    value: more / fewer,
    unit: '',
    ...(isSpoiled && { target: { atLeast: 10 } }),
  });
  const right = drafted.filter((decision) => decision.better === 1).length / RUNS;
  const target = { atLeast: 0.95 };
  report.add({ part, name: `against ${name}: right when both are in a list`, value: right, unit: '', target });
}

/** The median. */
function tell(report: Report, name: string, decisions: readonly Decision[]): number {
  const rounds = ofRounds(decisions.map(({ impressions }) => impressions));
  report.add({ part, name: `against ${name}: lists until it is clear`, ...rounds, unit: '' });
  const wrong = decisions.filter(({ better }) => better === 0).length;
  const open = decisions.filter(({ better }) => better === undefined).length;
  report.add({ part, name: `against ${name}: wrong of ${RUNS} trials`, value: wrong, unit: '' });
  if (open > 0) report.add({ part, name: `against ${name}: not decided of ${RUNS} trials`, value: open, unit: '' });
  return rounds.value;
}
