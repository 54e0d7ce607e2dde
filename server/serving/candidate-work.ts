import type { Rendezvous } from '../memory/rendezvous.ts';

/** What a job that makes a candidate says. */
export type CandidateNews<Report> =
  /** `isPassing`: of those only the latest matters. */
  | { readonly type: 'report'; readonly report: Report; readonly isPassing: boolean }
  | { readonly type: 'caughtUp' }
  | { readonly type: 'saved'; readonly from: number };

/** Begins a job; it is cut off at once when `cut` is aborted. */
export type BeginWork<Report> = (cut: AbortSignal) => AsyncGenerator<CandidateNews<Report>>;

/** How long a job may take to stop by itself, which gives back all that it took, before it is cut off. */
const PATIENCE_MS = 1000;

/** The job that makes a candidate, as whoever lets that join sees it. It never waits for those who hear its reports. */
export class CandidateWork<Report> {
  /** Resolves when the candidate has nearly caught up; false: it ended before, as there is nothing to promote. */
  readonly caughtUp: Promise<boolean>;
  /** Resolves to the record that its file has it as of. */
  readonly saved: Promise<number>;
  /** Resolves when its thread is over, however it ended. */
  readonly ended: Promise<void>;
  readonly #meeting: Rendezvous;
  readonly #cutting = new AbortController();
  readonly #signals = { caughtUp: Promise.withResolvers<boolean>(), saved: Promise.withResolvers<number>() };
  #timer: NodeJS.Timeout | undefined;

  constructor(begin: BeginWork<Report>, meeting: Rendezvous, onReport: (report: Report, isPassing: boolean) => void) {
    this.#meeting = meeting;
    this.caughtUp = this.#signals.caughtUp.promise;
    this.saved = this.#signals.saved.promise;
    for (const promise of [this.caughtUp, this.saved]) promise.catch(() => {});
    this.ended = this.#follow(begin, onReport);
  }

  /** Ends it: at once while nothing is lost by that. `why`: what whoever waits for it is told. */
  stop(why: unknown): void {
    this.#fail(why);
    this.#meeting.giveUp();
    if (this.#meeting.hasEntered) this.#timer ??= setTimeout(() => this.#cutting.abort(why), PATIENCE_MS);
    else this.#cutting.abort(why);
  }

  async #follow(begin: BeginWork<Report>, onReport: (report: Report, isPassing: boolean) => void): Promise<void> {
    const { caughtUp, saved } = this.#signals;
    try {
      for await (const news of begin(this.#cutting.signal)) {
        if (news.type === 'report') onReport(news.report, news.isPassing);
        else if (news.type === 'caughtUp') caughtUp.resolve(true);
        else saved.resolve(news.from);
      }
      caughtUp.resolve(false);
    } catch (error) {
      this.#fail(error);
      // The learner may be waiting for it.
      this.#meeting.giveUp();
    } finally {
      clearTimeout(this.#timer);
    }
  }

  #fail(why: unknown): void {
    this.#signals.caughtUp.reject(why);
    this.#signals.saved.reject(why);
  }
}
