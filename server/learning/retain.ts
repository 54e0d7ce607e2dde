import type { Config } from '../config/schema.ts';
import type { LearnerNews } from '../exchange/messages.ts';
import type { Journal } from '../store/journal.ts';
import { firstKept } from '../store/retention.ts';

const MIB = 2 ** 20;
const DAY_MS = 86_400_000;

/** Removes what need not be kept of a journal that two checkpoints cover up to a revision. What fails is told. */
export async function retain(
  journal: Journal,
  { keepMiB, keepDays }: Config['journal'],
  covered: number,
  tell: (news: LearnerNews) => void,
): Promise<void> {
  try {
    const keep = { bytes: keepMiB * MIB, ms: keepDays * DAY_MS };
    const links = await journal.dropBefore(firstKept(journal.links(), keep, covered, Date.now()));
    if (links > 0) tell({ type: 'dropped', links, firstRevision: journal.firstRevision });
  } catch (error) {
    tell({ type: 'fault', stack: String((error as Error).stack) });
  }
}
