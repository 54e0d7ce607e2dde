import type { Trace } from '../../exchange/forgetting.ts';
import { REQUEST_ID_AGE_MAX_MS } from '../../memory/request-ids.ts';
import { Forgetter } from '../../store/forget-codec.ts';
import type { JobContext } from '../job-context.ts';

export interface TraceTask {
  readonly userId: string;
}

/** Looks through the journal for a user. */
export function* trace({ userId }: TraceTask, { journal, revisions, meter }: JobContext): Generator<Trace> {
  const { firstRevision } = journal;
  const last = revisions.learned;
  const forgetter = new Forgetter(userId, false);
  const since = Date.now() - REQUEST_ID_AGE_MAX_MS;
  const requests: number[] = [];
  let [records, entries] = [0, 0];
  meter.begin('trace', 'records', last - firstRevision + 1);
  for (const { revision, record } of journal.read(firstRevision, last)) {
    meter.add();
    const found = forgetter.rewrite(revision, record);
    if (!found) continue;
    records++;
    entries += found.removed;
    if (found.isRemembered && found.receivedAtMs >= since) requests.push(revision);
  }
  yield { records, entries, requests };
}
