import type { Worker } from 'node:worker_threads';
import { AccreteError } from '../errors.ts';
import type { JobAsk, JobNews, JobStep } from './messages.ts';
import type { JobProgress } from './meter.ts';

/** Items that the thread may make ahead of whoever takes them. */
const AHEAD = 2;
/** After so long without a word, how far the job is is said once more: a busy machine may not let it speak. */
const SILENCE_MS = 900;
const BEGUN: JobProgress = { phase: 'start', completed: 0, total: 0, unit: 'steps', remainingMs: undefined };

/**
 * A job as the thread that asked for it holds it: its steps, in order. The thread is cut off when the loop over them
 * ends, for whatever reason, and at once when `signal` is aborted: the loop then ends with the signal's reason.
 */
export async function* followJob<Item>(worker: Worker, signal: AbortSignal): AsyncGenerator<JobStep<Item>, void> {
  const inbox = new Inbox<Item>();
  const onAbort = () => {
    inbox.fail(signal.reason);
    void worker.terminate();
  };
  signal.addEventListener('abort', onAbort);
  worker.on('message', (news: JobNews<Item>) => news.type !== 'warning' && inbox.put(news));
  worker.on('error', (cause) => inbox.put(failureOf(cause)));
  worker.on('exit', () => inbox.put(failureOf(new Error('the thread of the job ended'))));
  const ask = () => worker.postMessage('next' satisfies JobAsk);
  try {
    for (let n = 0; n < AHEAD; n++) ask();
    let progress = BEGUN;
    for (;;) {
      const news = (await inbox.take(SILENCE_MS)) ?? { type: 'progress', progress };
      if (news.type === 'progress') progress = news.progress;
      if (news.type === 'done') return;
      if (news.type === 'failed') throw toError(news);
      if (news.type === 'item') ask();
      yield news;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    await worker.terminate();
  }
}

/** What whoever takes the items hears of. */
type Heard<Item> = Exclude<JobNews<Item>, { type: 'warning' }>;
type Failed = Extract<JobNews<never>, { type: 'failed' }>;

/** What came from the thread and was not taken yet: at most `AHEAD` items, and the latest progress. */
class Inbox<Item> {
  readonly #news: Heard<Item>[] = [];
  #failure: { readonly why: unknown } | undefined;
  #wake = () => {};

  put(news: Heard<Item>): void {
    const isNewer = news.type === 'progress' && this.#news.at(-1)?.type === 'progress';
    if (isNewer) this.#news.pop();
    this.#news.push(news);
    this.#wake();
  }

  /** From now on nothing is taken: whoever tries fails with `why`. */
  fail(why: unknown): void {
    this.#failure ??= { why };
    this.#wake();
  }

  /** Undefined when nothing comes for `timeoutMs`. */
  async take(timeoutMs: number): Promise<Heard<Item> | undefined> {
    if (this.#isEmpty) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        timer = setTimeout(resolve, timeoutMs);
      });
      clearTimeout(timer);
    }
    if (this.#failure) throw this.#failure.why;
    return this.#news.shift();
  }

  get #isEmpty(): boolean {
    return this.#failure === undefined && this.#news.length === 0;
  }
}

function failureOf(cause: Error): Failed {
  return { type: 'failed', error: AccreteError.wrap(cause).toJSON(), stack: String(cause.stack) };
}

/** The stack is the cause: it goes into the log where the error is unexpected. */
function toError({ error, stack }: Failed): AccreteError {
  const cause = Object.assign(new Error(error.message), { stack });
  return new AccreteError(error.reason, error.message, { ...error, cause });
}
