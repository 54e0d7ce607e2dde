import fc from 'fast-check';
import type { Scope } from '../../support/temporary-folder.ts';
import type { Budget } from '../budget.ts';
import { COMMANDS } from './commands.ts';
import { Reference } from './reference.ts';
import { CONFIG, MODELS, REFITTED, type System, TWIN } from './system.ts';
import { ITEMS, USERS } from './users.ts';
import { verify } from './verify.ts';

/** Sequences of commands, at random, against a server and the reference; one that fails is made shorter, for as long as there is time. */

/** What is left of a test's time to tell what was found, and to let a server end. */
const TELL_MS = 20_000;

const ids = { users: USERS, items: ITEMS };

const commands = Object.entries(COMMANDS).flatMap(([name, { weight, drawn, run }]) =>
  Array(weight).fill(
    drawn.map(
      (values): fc.AsyncCommand<Reference, System> => ({
        check: () => true,
        run: async (reference, system) => {
          await run(values, reference, system);
          await verify(reference, system, ids);
        },
        toString: () => `${name} ${JSON.stringify(values)}`,
      }),
    ),
  ),
);

export async function runSequences(
  start: (scope: Scope) => Promise<System>,
  { seed, rounds }: Budget,
  { maxCommands, timeoutMs }: { readonly maxCommands: number; readonly timeoutMs: number },
): Promise<void> {
  const property = fc.asyncProperty(fc.commands(commands, { maxCommands, size: 'max' }), async (sequence) => {
    const ends: (() => unknown)[] = [];
    try {
      const system = await start({ after: (end) => ends.push(end) });
      const reference = new Reference([...MODELS, REFITTED, TWIN], CONFIG.defaultModel ?? '');
      await fc.asyncModelRun(() => ({ model: reference, real: system }), sequence);
    } finally {
      for (const end of ends.reverse()) await end();
    }
  });
  const time = { interruptAfterTimeLimit: timeoutMs - TELL_MS, markInterruptAsFailure: true };
  await fc.assert(property, { seed, numRuns: rounds, endOnFailure: false, ...time });
}
