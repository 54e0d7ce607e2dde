import type { Worker } from 'node:worker_threads';
import { AccreteError } from '../errors.ts';
import { followJob } from './job.ts';
import type { JobKind, JobKinds, JobNews, JobStart, JobStep } from './messages.ts';

/** Work beside the stream: each job in a thread of its own, only so many of a kind at once. */
export class Jobs {
  readonly #max: number;
  readonly #start: (start: Pick<JobStart, 'kind' | 'task'>) => Worker;
  readonly #onWarning: (kind: JobKind, what: string) => void;
  readonly #closing = new AbortController();
  /** With their kinds. */
  readonly #running = new Map<Worker, JobKind>();

  /** `start` makes a job's thread; `onWarning` hears what a job goes on without. */
  constructor(
    max: number,
    start: (start: Pick<JobStart, 'kind' | 'task'>) => Worker,
    onWarning: (kind: JobKind, what: string) => void = () => {},
  ) {
    this.#max = max;
    this.#start = start;
    this.#onWarning = onWarning;
  }

  /** How many run now. */
  get count(): number {
    return this.#running.size;
  }

  /** Whether one of them may read the journal. */
  get readsJournal(): boolean {
    return [...this.#running.values()].some((kind) => !WITHOUT_JOURNAL.has(kind));
  }

  /**
   * Does a job, and gives its items as they are taken, with its progress between them. It is cut off at once when the
   * loop over them ends, and when `signal` is aborted. Throws JOBS_FULL, DRAINING, and what the job fails with.
   */
  async *run<Kind extends JobKind>(
    kind: Kind,
    task: JobKinds[Kind]['task'],
    signal: AbortSignal,
  ): AsyncGenerator<JobStep<JobKinds[Kind]['item']>, void> {
    signal.throwIfAborted();
    this.#closing.signal.throwIfAborted();
    // Of a kind: whoever takes an export slowly keeps no model from being loaded.
    const alike = [...this.#running.values()].filter((running) => running === kind).length;
    if (alike >= this.#max) throw full(kind, this.#max);
    const worker = this.#start({ kind, task });
    this.#running.set(worker, kind);
    worker.once('exit', () => this.#running.delete(worker));
    worker.on('message', (news: JobNews<unknown>) => news.type === 'warning' && this.#onWarning(kind, news.what));
    yield* followJob<JobKinds[Kind]['item']>(worker, AbortSignal.any([signal, this.#closing.signal]));
  }

  /** Does a job that makes one item, and gives that. */
  async finish<Kind extends JobKind>(
    kind: Kind,
    task: JobKinds[Kind]['task'],
    signal: AbortSignal,
  ): Promise<JobKinds[Kind]['item']> {
    for await (const step of this.run(kind, task, signal)) if (step.type === 'item') return step.item;
    throw new Error(`the job ${kind} made nothing`);
  }

  /** Cuts off all jobs: whoever waits for one is told that the server is stopping. */
  async close(): Promise<void> {
    this.#closing.abort(new AccreteError('DRAINING', 'The server is stopping: ask again when it runs'));
    await Promise.all(Array.from(this.#running.keys(), (worker) => worker.terminate()));
  }
}

const WITHOUT_JOURNAL: ReadonlySet<JobKind> = new Set(['checkpoint', 'exportModel', 'importModel']);

const NAMES: { readonly [Kind in JobKind]: string } = {
  check: 'checks of the journal',
  checkpoint: 'checkpoints being written',
  compare: 'comparisons of models',
  export: 'exports',
  exportCheckpoint: 'exports of checkpoints',
  exportModel: 'exports of models',
  evaluate: 'evaluations',
  evaluateOffPolicy: 'off-policy evaluations',
  fuse: 'fuses',
  importModel: 'imports of models',
  keep: 'versions being kept',
  load: 'models being loaded',
  purge: 'users being forgotten',
  rollback: 'models being rolled back',
  search: 'searches for settings',
  shadow: 'candidates with other settings',
  trace: 'users being looked for',
};

function full(kind: JobKind, max: number): AccreteError {
  const message = `There are ${max} ${NAMES[kind]} already, as many as jobs.max allows: try again later`;
  return new AccreteError('JOBS_FULL', message, { metadata: { max: String(max) } });
}
