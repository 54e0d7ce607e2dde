import { checkJournal } from './check-journal.ts';
import { checkpoint } from './checkpoint.ts';
import { evaluate } from './evaluation/evaluate.ts';
import { evaluateOffPolicy } from './evaluation/off-policy.ts';
import { exportRatings } from './export.ts';
import { exportCheckpoint } from './export-checkpoint.ts';
import { exportModel } from './export-model.ts';
import { purge } from './forget/purge.ts';
import { trace } from './forget/trace.ts';
import { compare } from './fuse/compare.ts';
import { fuse } from './fuse/fuse.ts';
import { importModel } from './import-model.ts';
import type { JobContext } from './job-context.ts';
import { keep } from './keep.ts';
import { loadModel } from './load.ts';
import type { JobKind, JobKinds, JobStart } from './messages.ts';
import { rollBack } from './rollback.ts';
import { search } from './tune/search.ts';
import { shadow } from './tune/shadow.ts';

/**
 * Does a job, item by item. Obligations:
 * 1. Nothing is made before it is asked for, so that whoever takes the items sets the pace.
 * 2. The thread may be cut off at any moment: what is not its own is written only as others can bear that.
 */
export type Work<Kind extends JobKind> = (
  task: JobKinds[Kind]['task'],
  context: JobContext,
) => Iterator<JobKinds[Kind]['item']> | AsyncIterator<JobKinds[Kind]['item']>;

const WORK: { readonly [Kind in JobKind]: Work<Kind> } = {
  check: checkJournal,
  checkpoint,
  compare,
  evaluate,
  evaluateOffPolicy,
  export: exportRatings,
  exportCheckpoint,
  exportModel,
  fuse,
  importModel,
  keep,
  load: loadModel,
  purge,
  rollback: rollBack,
  search,
  shadow,
  trace,
};

/** Begins the work that a thread was started for. */
export function beginWork<Kind extends JobKind>({ kind, task }: JobStart<Kind>, context: JobContext) {
  return WORK[kind](task, context);
}
