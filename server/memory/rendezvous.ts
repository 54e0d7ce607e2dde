import type { Arena } from './arena.ts';

/**
 * Where two threads meet at a revision: one follows the journal beside the stream, the other, which leads, names the
 * revision at which the first shall stand still. Both see it in the shared memory.
 */

const BYTES = 32;
/** Set when what the follower has made is in force (i32). */
const JOINED = 20;
/** Set when the follower may take a step that it has to ask for (i32). */
const ALLOWED = 24;
/** Set when the follower takes what only it can give back (i32). */
const ENTERED = 28;
/** The leader's target and the follower's place (i64 each), and the bell (i32). */
const TARGET = 0;
const REACHED = 8;
const BELL = 16;
/** The follower's place when the two will not meet. */
const GIVEN_UP = -1;

export class Rendezvous {
  readonly address: number;
  readonly #arena: Arena;

  constructor(arena: Arena, address = arena.allocate(BYTES)) {
    this.#arena = arena;
    this.address = address;
  }

  /** The revision to stand still at; 0 while none is named. */
  get target(): number {
    return this.#read(TARGET);
  }

  /** How far the follower is. */
  get reached(): number {
    return this.#read(REACHED);
  }

  /** The follower is at `revision`. */
  reach(revision: number): void {
    this.#write(REACHED, revision);
  }

  /** The follower may take the step that it waits with. */
  allow(): void {
    Atomics.store(this.#arena.i32, (this.address + ALLOWED) >>> 2, 1);
    this.#ring();
  }

  get isAllowed(): boolean {
    return Atomics.load(this.#arena.i32, (this.address + ALLOWED) >>> 2) === 1;
  }

  /** What the follower has made is in force from now on. By the leader. */
  join(): void {
    Atomics.store(this.#arena.i32, (this.address + JOINED) >>> 2, 1);
  }

  get hasJoined(): boolean {
    return Atomics.load(this.#arena.i32, (this.address + JOINED) >>> 2) === 1;
  }

  /**
   * From here on the follower takes what only it can give back, so that cutting it off would lose that; false when the two
   * will not meet. Whoever gives up and then looks at `hasEntered`, or enters and then looks, sees what the other did.
   */
  enter(): boolean {
    Atomics.store(this.#arena.i32, (this.address + ENTERED) >>> 2, 1);
    return !this.gaveUp;
  }

  get hasEntered(): boolean {
    return Atomics.load(this.#arena.i32, (this.address + ENTERED) >>> 2) === 1;
  }

  /** They will not meet: whoever waits, or comes, is told. By any thread. */
  giveUp(): void {
    this.#write(REACHED, GIVEN_UP);
  }

  get gaveUp(): boolean {
    return this.reached === GIVEN_UP;
  }

  /** Names the target and waits until the follower stands there: true, or false when it gave up or `timeoutMs` passed. */
  async meet(revision: number, timeoutMs: number): Promise<boolean> {
    const endMs = performance.now() + timeoutMs;
    this.#write(TARGET, revision);
    for (;;) {
      const rung = this.#rung();
      const { reached } = this;
      const leftMs = endMs - performance.now();
      if (reached === revision || reached === GIVEN_UP || leftMs <= 0) return reached === revision;
      await Atomics.waitAsync(this.#arena.i32, (this.address + BELL) >>> 2, rung, leftMs).value;
    }
  }

  /** For a thread that may block: waits until something was said, `timeoutMs` at most. */
  wait(timeoutMs: number): void {
    Atomics.wait(this.#arena.i32, (this.address + BELL) >>> 2, this.#rung(), timeoutMs);
  }

  free(): void {
    this.#arena.free(this.address, BYTES);
  }

  #rung(): number {
    return Atomics.load(this.#arena.i32, (this.address + BELL) >>> 2);
  }

  #read(at: number): number {
    return Number(Atomics.load(this.#arena.i64, (this.address + at) >>> 3));
  }

  #write(at: number, revision: number): void {
    Atomics.store(this.#arena.i64, (this.address + at) >>> 3, BigInt(revision));
    this.#ring();
  }

  #ring(): void {
    const { i32 } = this.#arena;
    Atomics.add(i32, (this.address + BELL) >>> 2, 1);
    Atomics.notify(i32, (this.address + BELL) >>> 2);
  }
}
