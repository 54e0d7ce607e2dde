import { findRevision } from '../memory/revisions.ts';
import type { Serving } from '../serving/serving.ts';
import { Fields } from './fields.ts';
import { beyond } from './revision-range.ts';
import type { CallContext } from './service.ts';

/** Read your own writes: waits until everything up to a revision is learned. Throws REVISION_BEYOND_LAST. */
export async function reach(minRevision: string, call: CallContext, { revisions }: Serving): Promise<void> {
  const revision = findRevision(minRevision);
  if (revision === undefined) {
    const fields = new Fields();
    fields.refuse('min_revision', 'is no revision: send one that an answer to Rate gave, as it was');
    fields.check();
  } else if (revision > revisions.issued) {
    throw beyond(revision, revisions.issued, 'min_revision');
  } else if (revision > revisions.learned) {
    await revisions.reach(revision, call.signal);
  }
}
