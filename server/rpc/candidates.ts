import type { CandidateStep } from '../jobs/candidate.ts';
import type { Examined } from '../jobs/fuse/contest.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { JobKinds } from '../jobs/messages.ts';
import type { JobProgress } from '../jobs/meter.ts';
import type { CandidateNews } from '../serving/candidate-work.ts';

/** What a job that makes a candidate reports to whoever asked for it. */
export type CandidateReport = { readonly type: 'progress'; readonly progress: JobProgress } | Examined;

/** Begins a job that makes a candidate, and says what it says. */
export async function* candidateJob<Kind extends 'fuse' | 'rollback' | 'shadow'>(
  jobs: Jobs,
  kind: Kind,
  task: JobKinds[Kind]['task'],
  cut: AbortSignal,
): AsyncGenerator<CandidateNews<CandidateReport>> {
  for await (const step of jobs.run(kind, task, cut)) {
    if (step.type === 'progress') yield { type: 'report', report: step, isPassing: true };
    else yield newsOf(step.item);
  }
}

function newsOf(step: CandidateStep | Examined): CandidateNews<CandidateReport> {
  return step.type === 'examined' ? { type: 'report', report: step, isPassing: false } : step;
}
