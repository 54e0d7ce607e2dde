import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CACHE } from '../cache.ts';
import { Report } from '../report.ts';
import { TimeLeft } from '../time-left.ts';
import { type Bench, SETS } from './cases.ts';
import { PARTS } from './parts.ts';
import { Sheet } from './sheet.ts';

/** `npm run bench:quality`: how well every model predicts and ranks, through servers, beside what others came to. */

const USAGE = `Usage: npm run bench:quality -- [--set NAME,...] [--short] [--keep] [--strict] [PART]...

Parts: ${Object.keys(PARTS).join(', ')}; all of them when none is named.
--set     these data sets alone: ${SETS.map(({ set }) => set).join(', ')}
--short   the first ratings of ml-latest-small alone, without targets: whether everything works
--keep    keep the figures in test/bench/results/, as those of a full run are; others go to build/bench/results/
--strict  exit with 1 when a target is missed
`;
/** So many ratings that every strategy has a window to be judged by. */
const SHORT = 6000;
const RESULTS = fileURLToPath(new URL('../results', import.meta.url));

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: {
      set: { type: 'string', default: SETS.map(({ set }) => set).join(',') },
      short: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      strict: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  });
  const all = Object.keys(PARTS);
  const named = values.set.split(',');
  const sets = SETS.filter(({ set }) => named.includes(set));
  const unknown = [
    ...positionals.filter((name) => !all.includes(name)).map((name) => `part ${name}`),
    ...named.filter((name) => !SETS.some(({ set }) => set === name)).map((name) => `data set ${name}`),
  ];
  if (values.help || unknown.length > 0) {
    process.stderr.write(unknown.length > 0 ? `bench: there is no ${unknown.join(', ')}\n\n${USAGE}` : USAGE);
    return values.help ? 0 : 2;
  }
  const parts = positionals.length > 0 ? all.filter((name) => positionals.includes(name)) : all;
  const report = new Report();
  const sheet = new Sheet(report, !values.short);
  const isFull = parts.length === all.length && sets.length === SETS.length && !values.short;
  const write = () => report.write(isFull || values.keep ? RESULTS : `${CACHE}/results`, parts);
  const bench = { sheet, sets, first: values.short ? SHORT : undefined };
  // What one part found is not lost with the next one.
  const failed = await measureParts(parts, bench, write);
  console.log(`\n${sheet}`);
  const path = write();
  const { met, of } = report.targets;
  console.log(`\n${met} of ${of} targets met. Written to ${path}`);
  return failed || (values.strict && met < of) ? 1 : 0;
}

/** Whether a part failed: what the others found is told all the same. */
async function measureParts(
  parts: readonly string[],
  bench: Omit<Bench, 'advance'>,
  onPart: () => void,
): Promise<boolean> {
  const left = new TimeLeft();
  const whole = parts.reduce((sum, part) => sum + PARTS[part].share, 0);
  let done = 0;
  let hasFailed = false;
  for (const part of parts) {
    const { share, measure } = PARTS[part];
    const advance = (own: number) => left.update(part, (done + share * own) / whole);
    try {
      await measure({ ...bench, advance });
    } catch (error) {
      hasFailed = true;
      bench.sheet.report.note(`${part} failed: ${error instanceof Error ? (error.stack ?? error.message) : error}`);
    }
    done += share;
    onPart();
  }
  return hasFailed;
}

process.exitCode = await main();
