import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { LearnerStart } from './container/learner.ts';
import { AccreteError } from './errors.ts';
import type { LearnerAsk, LearnerNews, StateHashes } from './exchange/messages.ts';
import type { Capture } from './store/checkpoints/capture.ts';

/**
 * The learner's objects are of one batch and die with it: in V8's own three times 32 MiB they would stay for hundreds of
 * milliseconds, and take 100 MiB more for nothing.
 */
const YOUNG_MIB = 48;

/** The learner thread as the main thread holds it. */
export class LearnerHandle {
  readonly #worker: Worker;
  readonly #answers = new Map<number, PromiseWithResolvers<StateHashes | Capture>>();
  /** Of models whose hashes will be asked for, when those before are answered. */
  readonly #waiting = new Map<string, Promise<StateHashes>>();
  #before: Promise<unknown> = Promise.resolve();
  readonly #onNews: (news: LearnerNews) => void;
  readonly #halted = Promise.withResolvers<void>();
  #asks = 0;
  #ready = false;
  #stopped = false;

  /** `onNews` hears all news but answers; `failed` is the last. */
  constructor(start: LearnerStart, onNews: (news: LearnerNews) => void) {
    this.#onNews = onNews;
    this.#worker = new Worker(new URL('./learner-thread.ts', import.meta.url), {
      workerData: start,
      name: 'learner',
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB },
    });
    this.#worker.on('message', (news: LearnerNews) => this.#hear(news));
    this.#worker.on('error', (cause) => this.#fail(cause));
    this.#worker.on('exit', () => this.#fail(new Error('the learner thread ended')));
  }

  /**
   * Hashes over every byte of a model and of what all models of its world share (`cohort`: which, the main one unless it says
   * so), at one revision, which is none before this call. The learner does nothing else meanwhile: one at a time is asked for,
   * and whoever waits for the same model shares the next.
   */
  hashes(model: string, cohort = ''): Promise<StateHashes> {
    const key = `${cohort} ${model}`;
    const waiting = this.#waiting.get(key);
    if (waiting) return waiting;
    const hashes = this.#before.then(() => {
      this.#waiting.delete(key);
      return this.#question((ask) => ({ type: 'hashes', ask, model, cohort })) as Promise<StateHashes>;
    });
    this.#waiting.set(key, hashes);
    this.#before = hashes.catch(() => {});
    return hashes;
  }

  /** The state as it is between two records, marked for another thread to save: see `Captures`. */
  capture(whole: boolean): Promise<Capture> {
    return this.#question((ask) => ({ type: 'capture', ask, whole })) as Promise<Capture>;
  }

  /** Nobody reads the capture any more. */
  endCapture(isSaved: boolean): void {
    this.#ask({ type: 'captureEnded', isSaved });
  }

  /** Two checkpoints cover the journal up to this revision: what need not be kept of it may go. */
  retain(covered: number): void {
    this.#ask({ type: 'retain', covered });
  }

  /** Nobody has called for a while: the thread gives back what it does not need. */
  shrink(): void {
    if (!this.#stopped) this.#ask({ type: 'shrink' });
  }

  /** The journal is damaged: whatever would add to it is refused with this from when it resolves on. */
  halt(error: AccreteError): Promise<void> {
    if (!this.#stopped) this.#ask({ type: 'halt', error: error.toJSON() });
    else this.#halted.resolve();
    return this.#halted.promise;
  }

  #question(make: (ask: number) => LearnerAsk): Promise<StateHashes | Capture> {
    if (this.#stopped) return Promise.reject(gone());
    const ask = this.#asks++;
    const answer = Promise.withResolvers<StateHashes | Capture>();
    this.#answers.set(ask, answer);
    this.#ask(make(ask));
    return answer.promise;
  }

  /**
   * Answers what was asked, closes the journal and ends the thread. It is cut off after `timeoutMs`, and at once while
   * it replays, which only reads.
   */
  async stop(timeoutMs: number): Promise<void> {
    if (this.#stopped) return;
    if (this.#ready) {
      const late = sleep(timeoutMs, undefined, { ref: false });
      const ended = once(this.#worker, 'exit');
      // Hashes are asked for one at a time: those that wait go first.
      await Promise.race([this.#before, late]);
      this.#ask({ type: 'stop' });
      await Promise.race([ended, late]);
    }
    this.#end();
    await this.#worker.terminate();
  }

  #ask(ask: LearnerAsk): void {
    this.#worker.postMessage(ask);
  }

  #hear(news: LearnerNews): void {
    if (news.type === 'answer' || news.type === 'refusal') {
      const waiting = this.#answers.get(news.ask);
      this.#answers.delete(news.ask);
      if (news.type === 'refusal') waiting?.reject(AccreteError.from(news.error));
      else waiting?.resolve(news.answer);
      return;
    }
    if (news.type === 'halted') this.#halted.resolve();
    if (news.type === 'ready') this.#ready = true;
    if (news.type === 'stopped' || news.type === 'failed') this.#end();
    this.#onNews(news);
  }

  #fail(cause: Error): void {
    if (this.#stopped) return;
    this.#end();
    this.#onNews({ type: 'failed', error: AccreteError.wrap(cause).toJSON(), stack: String(cause.stack) });
  }

  #end(): void {
    this.#stopped = true;
    this.#halted.resolve();
    for (const { reject } of this.#answers.values()) reject(gone());
    this.#answers.clear();
  }
}

function gone(): AccreteError {
  return new AccreteError('DRAINING', 'The server is stopping: ask again when it runs');
}
