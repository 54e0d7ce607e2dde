import type { Config } from '../config/schema.ts';
import { AccreteError } from '../errors.ts';
import type { Counters } from '../memory/counters.ts';
import type { Revisions } from '../memory/revisions.ts';
import type { Capture } from '../store/checkpoints/capture.ts';
import type { Keeps } from '../store/checkpoints/checkpoint-folder.ts';
import type { Saved } from '../store/checkpoints/save.ts';

/** Checkpoints of a server that runs: when one is due, and when one is asked for. One at a time. */

export interface CheckpointsParts {
  readonly config: Config['checkpoint'];
  readonly revisions: Revisions;
  readonly counters: Counters;
  /** Those that learn now: an object each. */
  readonly models: () => readonly object[];
  /** Lets the learner mark the state; `whole`: all of it. */
  readonly capture: (whole: boolean) => Promise<Capture>;
  /** Writes what `capture` gives, once it is ready for that, and removes what is not kept of earlier ones. */
  readonly save: (capture: () => Promise<Capture>, keeps: Keeps) => Promise<Saved>;
  /** Tells the learner that nobody reads the capture any more, and whether it is on disk. */
  readonly end: (isSaved: boolean) => void;
  readonly onSaved: (saved: Saved) => void;
  readonly onFailure: (error: AccreteError) => void;
}

const LOOK_MS = 1000;
/** After a checkpoint by itself the next one waits for so many times as long as that took. */
const REST = 4;
const RETRY_MS = 30_000;
/** A checkpoint is written whole when the one before needs more files, or less of them. */
const FILES_MAX = 8;
const NEEDED_MIN = 0.5;

export class Checkpoints {
  readonly #parts: CheckpointsParts;
  #latest: Saved | undefined;
  #running: Promise<Saved> | undefined;
  /** Resolves when checkpoints may be made again. */
  #paused: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** When the next one may begin by itself, and what had been learned when the last one began. */
  #restUntilMs = 0;
  #sinceMs = performance.now();
  #events = 0;
  #bytes = 0;
  /** How many need the checkpoints that there are. */
  #keepers = 0;
  /** The models that the latest one has, or the one before that failed would have had. */
  #models: ReadonlySet<object> | undefined;

  constructor(parts: CheckpointsParts) {
    this.#parts = parts;
  }

  /** The latest that is on disk. */
  get latest(): Saved | undefined {
    return this.#latest;
  }

  /** From now on checkpoints are made by themselves; `latest`: what the start began from. */
  begin(latest: Saved | undefined): void {
    this.#latest = latest;
    if (latest) this.#models = new Set(this.#parts.models());
    this.#timer = setInterval(() => {
      if (this.#isDue()) this.#make().catch(() => {});
    }, LOOK_MS);
    this.#timer.unref();
  }

  /** No more by themselves. Resolves when none is being made. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running?.catch(() => {});
  }

  /**
   * A checkpoint of all that is learned now; `alone`: a whole new one, and no earlier one is left. Throws DISK_FULL,
   * CHECKPOINT_FAILED.
   */
  async create({ alone = false } = {}): Promise<Saved> {
    const { learned } = this.#parts.revisions;
    while (this.#running || this.#paused) await (this.#paused ?? this.#running?.catch(() => {}));
    if (!alone && this.#latest && this.#latest.revision >= learned) return this.#latest;
    return this.#make(alone);
  }

  /** No checkpoint is made until what it resolves with is called. */
  async pause(): Promise<() => void> {
    while (this.#running || this.#paused) await (this.#paused ?? this.#running?.catch(() => {}));
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#paused = promise;
    return () => {
      this.#paused = undefined;
      resolve();
    };
  }

  /** Keeps every checkpoint that there is, until what it resolves with is called. */
  async keepAll(): Promise<() => void> {
    // One that is being written was told already what to keep.
    while (this.#running) await this.#running.catch(() => {});
    this.#keepers++;
    return () => {
      this.#keepers--;
    };
  }

  #isDue(): boolean {
    const { config, counters, revisions } = this.#parts;
    const now = performance.now();
    if (this.#running || this.#paused || now < this.#restUntilMs || revisions.learned === (this.#latest?.revision ?? 0))
      return false;
    const { everyEvents, everyMiB, everySeconds } = config;
    return (
      (everyEvents + everyMiB + everySeconds > 0 && this.#hasNewModel()) ||
      (everyEvents > 0 && counters.get('eventsLearned') - this.#events >= everyEvents) ||
      (everyMiB > 0 && counters.get('bytesLearned') - this.#bytes >= everyMiB * 2 ** 20) ||
      (everySeconds > 0 && now - this.#sinceMs >= everySeconds * 1000)
    );
  }

  /** A start from a checkpoint that lacks a model learns the whole journal. */
  #hasNewModel(): boolean {
    const known = this.#models;
    return known !== undefined && this.#parts.models().some((model) => !known.has(model));
  }

  #make(isAlone = false): Promise<Saved> {
    this.#running = this.#write(isAlone).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #write(isAlone: boolean): Promise<Saved> {
    const { capture, save, end, counters, onSaved, onFailure } = this.#parts;
    const started = {
      ms: performance.now(),
      events: counters.get('eventsLearned'),
      bytes: counters.get('bytesLearned'),
    };
    let isSaved = false;
    let captured: Promise<Capture> | undefined;
    this.#models = new Set(this.#parts.models());
    try {
      try {
        this.#latest = await save(
          () => {
            captured = capture(isAlone || this.#isWorn());
            return captured;
          },
          isAlone ? 'latest' : this.#keepers > 0 ? 'all' : 'lastTwo',
        );
        isSaved = true;
      } finally {
        // What is captured after it has failed ends too.
        await captured?.then(
          () => end(isSaved),
          () => {},
        );
      }
      this.#sinceMs = started.ms;
      this.#events = started.events;
      this.#bytes = started.bytes;
      this.#restUntilMs = performance.now() + REST * this.#latest.durationMs;
      onSaved(this.#latest);
      return this.#latest;
    } catch (error) {
      this.#restUntilMs = performance.now() + RETRY_MS;
      const failure = AccreteError.wrap(error);
      if (failure.reason !== 'DRAINING') onFailure(failure);
      throw failure;
    }
  }

  /** Whether the latest consists of too many files, or of a small part of them. */
  #isWorn(): boolean {
    if (!this.#latest) return true;
    const { files, neededBytes, fileBytes } = this.#latest;
    return files >= FILES_MAX || neededBytes < NEEDED_MIN * fileBytes;
  }
}
