import assert from 'node:assert/strict';
import type { Arena } from './arena.ts';

/**
 * A bounded queue of messages in shared memory from one thread to one other. It is the queue and its bound in one:
 * `push` says no when it is full. A message is a kind, two numbers and bytes.
 */

/** What wakes a thread: a counter to wait on, shared by all rings that the thread reads. */
export class Bell {
  readonly address: number;
  readonly #i32: Int32Array;

  /** `address` of a bell that another thread made, or a new one. */
  constructor(arena: Arena, address = arena.allocate(8)) {
    this.address = address;
    this.#i32 = arena.i32;
  }

  /** Wakes the owner, when it sleeps. */
  ring(): void {
    Atomics.add(this.#i32, this.address >>> 2, 1);
    if (Atomics.exchange(this.#i32, (this.address >>> 2) + 1, 0) === 1) Atomics.notify(this.#i32, this.address >>> 2);
  }

  /** The state to hand to `wait`: taken before looking for work, so that none is missed. */
  state(): number {
    return Atomics.load(this.#i32, this.address >>> 2);
  }

  /** Resolves when the bell has rung since `state`. */
  async wait(state: number): Promise<void> {
    Atomics.store(this.#i32, (this.address >>> 2) + 1, 1);
    const { value } = Atomics.waitAsync(this.#i32, this.address >>> 2, state);
    await value;
  }
}

export interface RingDescriptor {
  readonly address: number;
  readonly bytes: number;
  readonly bell: number;
}

/** A message at the front of a ring: `payload` lies in the ring and is void after `pop`. */
export interface RingMessage {
  kind: number;
  call: number;
  /** A time, or whatever the kind says. */
  stamp: number;
  payload: Uint8Array;
}

const HEAD = 0;
const TAIL = 1;
const CONTROL_BYTES = 64;
const FRAME_BYTES = 24;
/** In place of a length: the rest up to the ring's end is unused. */
const WRAP = 0xffff_ffff;

export class Ring {
  readonly descriptor: RingDescriptor;
  readonly #arena: Arena;
  readonly #bell: Bell;
  readonly #control: number;
  readonly #base: number;
  readonly #bytes: number;
  readonly #message: RingMessage = { kind: 0, call: 0, stamp: 0, payload: new Uint8Array() };

  constructor(arena: Arena, descriptor: RingDescriptor) {
    this.descriptor = descriptor;
    this.#arena = arena;
    this.#bell = new Bell(arena, descriptor.bell);
    this.#control = descriptor.address >>> 2;
    this.#base = descriptor.address + CONTROL_BYTES;
    this.#bytes = descriptor.bytes;
  }

  /** A ring of `bytes`, a power of two; `bell` is rung for its reader. */
  static create(arena: Arena, bytes: number, bell: Bell): Ring {
    assert(bytes >= 64 && Number.isInteger(Math.log2(bytes)), `a ring cannot have ${bytes} bytes`);
    return new Ring(arena, { address: arena.allocate(CONTROL_BYTES + bytes), bytes, bell: bell.address });
  }

  /** The longest payload that always fits an empty ring. */
  get payloadMax(): number {
    return this.#bytes / 2 - FRAME_BYTES;
  }

  /** Writer: whether more than half of it is taken. */
  get isCrowded(): boolean {
    const { u32 } = this.#arena;
    const taken = (u32[this.#control + TAIL] - Atomics.load(u32, this.#control + HEAD)) >>> 0;
    return taken > this.#bytes / 2;
  }

  /** Writer: adds a message, or returns false when there is no room now. A payload has at most `payloadMax` bytes. */
  push(kind: number, call: number, stamp: number, payload: Uint8Array): boolean {
    assert(payload.byteLength <= this.payloadMax, `a message of ${payload.byteLength} bytes never fits this ring`);
    const { u32, f64, u8 } = this.#arena;
    const size = frameBytes(payload.byteLength);
    const head = Atomics.load(u32, this.#control + HEAD);
    const tail = u32[this.#control + TAIL];
    const offset = tail & (this.#bytes - 1);
    const wraps = offset + size > this.#bytes;
    const needed = wraps ? this.#bytes - offset + size : size;
    if (((tail - head) >>> 0) + needed > this.#bytes) return false;
    if (wraps) u32[(this.#base + offset) >>> 2] = WRAP;
    const at = this.#base + (wraps ? 0 : offset);
    u32[at >>> 2] = payload.byteLength;
    u32[(at >>> 2) + 1] = kind;
    f64[(at >>> 3) + 1] = stamp;
    u32[(at >>> 2) + 4] = call;
    u8.set(payload, at + FRAME_BYTES);
    Atomics.store(u32, this.#control + TAIL, (tail + needed) >>> 0);
    this.#bell.ring();
    return true;
  }

  /** Reader: the message at the front, or undefined. The same object is reused by the next call. */
  peek(): RingMessage | undefined {
    const { u32, f64, u8 } = this.#arena;
    let head = u32[this.#control + HEAD];
    if (head === Atomics.load(u32, this.#control + TAIL)) return undefined;
    let at = this.#base + (head & (this.#bytes - 1));
    if (u32[at >>> 2] === WRAP) {
      head = (head + this.#bytes - (head & (this.#bytes - 1))) >>> 0;
      Atomics.store(u32, this.#control + HEAD, head);
      at = this.#base;
    }
    const message = this.#message;
    message.kind = u32[(at >>> 2) + 1];
    message.stamp = f64[(at >>> 3) + 1];
    message.call = u32[(at >>> 2) + 4];
    message.payload = u8.subarray(at + FRAME_BYTES, at + FRAME_BYTES + u32[at >>> 2]);
    return message;
  }

  /** Reader: takes the message that `peek` showed off the ring. */
  pop(): void {
    const { u32 } = this.#arena;
    const head = u32[this.#control + HEAD];
    const length = u32[(this.#base + (head & (this.#bytes - 1))) >>> 2];
    Atomics.store(u32, this.#control + HEAD, (head + frameBytes(length)) >>> 0);
  }
}

function frameBytes(payloadBytes: number): number {
  return (FRAME_BYTES + payloadBytes + 7) & ~7;
}
