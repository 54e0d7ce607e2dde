import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { ForgetUserRequest, ForgetUserResponse, UserServiceService } from '../../../proto/gen/accrete/v1/user.ts';
import { UsageError } from '../failure.ts';
import { formatCount, type Output, type Table } from '../output.ts';
import { type Session, withSession } from '../session.ts';

interface Options {
  readonly validateOnly?: boolean;
  readonly yes?: boolean;
}

/** Files of the journal are written anew: that may take minutes, and goes on when nobody waits. */
const PATIENCE_MS = 3_600_000;

const EXAMPLES = `
It removes the user from the journal, all state and every kept version, and cannot be undone. What was exported or backed
up before, and what others wrote down, is not reached.

Examples:
  accrete forget ada --validate-only
  accrete forget ada --yes
`;

export function addForget(program: Command): void {
  program
    .command('forget')
    .description('remove a user, and all that they did, from everything')
    .argument('<user>')
    .option('--validate-only', 'tell what would be removed, and remove nothing')
    .option('--yes', 'do not ask first')
    .addHelpText('after', EXAMPLES)
    .action((userId: string, options: Options, command: Command) =>
      withSession(command, (session) => forget(userId, options, session)),
    );
}

async function forget(userId: string, { validateOnly = false, yes = false }: Options, session: Session): Promise<void> {
  const { connection, output } = session;
  const call = (isTrial: boolean) =>
    connection.call(
      UserServiceService.forgetUser,
      ForgetUserRequest.fromPartial({ userId, validateOnly: isTrial }),
      Math.max(connection.timeoutMs, PATIENCE_MS),
    );
  if (!validateOnly && !yes) {
    requireTerminal();
    if (!(await isSure(userId, await call(true), output))) return output.note('nothing is removed');
  }
  const answer = await call(validateOnly);
  output.answer(ForgetUserResponse.toJSON(answer), () => {
    if (answer.removals.length === 0) output.line(`nothing is known of ${userId}`);
    else output.table(tableOf(answer, validateOnly));
  });
}

function requireTerminal(): void {
  if (process.stdin.isTTY && process.stderr.isTTY) return;
  throw new UsageError('This cannot be undone, and there is no terminal to ask on: say --yes, or --validate-only');
}

async function isSure(userId: string, found: ForgetUserResponse, output: Output): Promise<boolean> {
  const places = found.removals.map(({ place, count }) => `${place} ${formatCount(count)}`).join(', ');
  output.note(`Of ${userId} there is: ${places || 'nothing'}`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question('Remove all of it? It cannot be undone. [y/N] ')).trim());
  } finally {
    terminal.close();
  }
}

function tableOf({ removals }: ForgetUserResponse, isTrial: boolean): Table {
  return {
    columns: [{ name: 'place' }, { name: isTrial ? 'would be removed' : 'removed', align: 'right' }],
    rows: removals.map(({ place, count }) => [place, formatCount(count)]),
  };
}
