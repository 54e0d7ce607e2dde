import { execFile } from 'node:child_process';
import { createInterface } from 'node:readline/promises';
import { EXIT, Failure } from '../failure.ts';
import { factTable, formatCount, type Output } from '../output.ts';
import { SERVER } from '../server-process.ts';
import { size } from './limits.ts';

/** What `server/main.ts --repair` prints: what of a journal is kept and what is dropped. */
export interface Repair {
  readonly path: string;
  readonly damage?: string;
  readonly keep: Kept;
  readonly past: Kept & { readonly readable: number; readonly checkpoint: string };
  readonly drop: Kept & { readonly readable: number };
  readonly files: {
    readonly taken: readonly string[];
    readonly rewritten: readonly string[];
    readonly checkpoints: readonly string[];
  };
  readonly movedTo?: string;
}

interface Kept {
  readonly from: string;
  readonly to: string;
  readonly records: number;
  readonly ratings: number;
  readonly bytes: number;
}

const OUTPUT_BYTES_MAX = 16 * 1024 ** 2;

/**
 * Repairs the journal of a data folder on this machine, with `yes` or when the terminal says so; otherwise it tells what a
 * repair would do. `flags` are a server's. Returns the exit code.
 */
export async function repairJournal(flags: readonly string[], yes: boolean, output: Output): Promise<number> {
  const plan = await askServer([...flags, ...(yes ? [] : ['--dry-run'])]);
  if (!plan.damage || plan.movedTo) {
    output.answer(plan, () => print(plan, output));
    return EXIT.ok;
  }
  const asks = process.stdin.isTTY === true && !output.json;
  if (asks) print(plan, output);
  if (asks && (await confirm(output))) return repairJournal(flags, true, output);
  if (!asks) output.answer(plan, () => print(plan, output));
  output.note('nothing was changed: say --yes to do it');
  return EXIT.failed;
}

async function askServer(flags: readonly string[]): Promise<Repair> {
  const stdout = await new Promise<string>((resolve, reject) => {
    const args = [SERVER, '--repair', ...flags];
    execFile(process.execPath, args, { maxBuffer: OUTPUT_BYTES_MAX }, (error, answer, complaint) => {
      if (answer === '') reject(new Failure('SERVER_FAILED', complaint || String(error)));
      else resolve(answer);
    });
  });
  const found = JSON.parse(stdout) as
    | Repair
    | { readonly error: { readonly reason: string; readonly message: string } };
  if ('error' in found) throw new Failure(found.error.reason, found.error.message);
  return found;
}

function print({ path, damage, keep, past, drop, files, movedTo }: Repair, output: Output): void {
  if (!damage) {
    output.line(`the journal in ${path} is whole: ${revisions(keep)}`);
    return;
  }
  const [kept, dropped] = movedTo ? ['kept', 'dropped'] : ['would keep', 'would drop'];
  const unread = drop.records - drop.readable;
  const unsure = 'what they held is not known; how many there were is what the files say, which may be wrong';
  const unreadable = unread === 0 ? '' : `; ${formatCount(unread)} of them cannot be read, and ${unsure}`;
  output.table(
    factTable([
      ['damage', damage],
      [kept, `${revisions(keep)}: ${amount(keep)}`],
      [`${kept} as learned`, past.records === 0 ? '' : learned(past)],
      [dropped, drop.records === 0 ? 'no revision' : `${revisions(drop)}: ${amount(drop)}${unreadable}`],
      ['written anew', files.rewritten.join(', ')],
      ['taken away', files.taken.length === 0 ? '' : `${files.taken.join(', ')} (${size(drop.bytes)})`],
      ['checkpoints that go', files.checkpoints.join(', ')],
      ['the files as they were', movedTo ?? `will be in ${path}/damaged-TIME`],
    ]),
  );
}

/** Of records that go while a checkpoint has what they brought. */
function learned(past: Repair['past']): string {
  const checkpoint = `in the checkpoint at revision ${Number(past.checkpoint)}`;
  return `${revisions(past)}, ${checkpoint}: their records go, so that what has to learn from them begins with what is live`;
}

function revisions({ from, to, records }: Kept): string {
  return records === 0 ? 'no revision' : `revisions ${Number(from)}..${Number(to)}`;
}

function amount({ records, ratings }: Kept): string {
  return `${formatCount(records)} records with ${formatCount(ratings)} ratings and events`;
}

async function confirm(output: Output): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: output.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question('Repair it so? No file is deleted. [y/N] ')).trim());
  } finally {
    terminal.close();
  }
}
