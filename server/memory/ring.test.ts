import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { Bell, Ring, type RingMessage } from './ring.ts';
import { highArena } from './testing/high-arena.ts';
import { patternOf } from './testing/patterns.ts';
import { startThread } from './testing/threads.ts';

const arena = highArena();

/** A message as it was, for comparing after `pop`. */
const copy = (message: RingMessage | undefined) => message && { ...message, payload: Buffer.from(message.payload) };

/** Bytes that differ from place to place and from message to message. */
const payloadOf = (bytes: number, salt: number) =>
  Buffer.from(Array.from({ length: bytes }, (_, n) => (n * 31 + salt) & 0xff));

test('messages come out as they went in, in order, whatever their sizes', () => {
  const step = fc.record({
    push: fc.boolean(),
    bytes: fc.nat(110),
    kind: fc.nat(),
    call: fc.nat(0xffff_ffff),
    stamp: fc.double(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150, size: 'max' }), fc.constantFrom(0, 0xffff_ff00), (steps, start) => {
      const bell = new Bell(arena);
      const ring = Ring.create(arena, 256, bell);
      const control = ring.descriptor.address >>> 2;
      // Positions run on past 2^32.
      arena.u32[control] = arena.u32[control + 1] = start;
      const reader = new Ring(arena, structuredClone(ring.descriptor));
      const queue: RingMessage[] = [];
      for (const [n, { push, bytes, kind, call, stamp }] of steps.entries()) {
        const payload = payloadOf(bytes % (ring.payloadMax + 1), n);
        if (push) {
          const taken = ring.push(kind, call, stamp, payload);
          if (taken) queue.push({ kind, call, stamp, payload });
          else assert.ok(queue.length > 0, 'an empty ring takes every message');
        } else {
          assert.deepEqual(copy(reader.peek()), queue[0]);
          assert.deepEqual(copy(reader.peek()), queue[0]);
          if (queue.shift()) reader.pop();
        }
      }
      for (const message of queue) {
        assert.deepEqual(copy(reader.peek()), message);
        reader.pop();
      }
      assert.equal(reader.peek(), undefined);
    }),
    { numRuns: 100 },
  );
});

test('an empty ring takes a message of any size up to the maximum, wherever it stands', () => {
  const ring = Ring.create(arena, 1024, new Bell(arena));
  assert.equal(ring.payloadMax, 1024 / 2 - 24);
  for (let shift = 0; shift < 1024; shift += 8) {
    for (const bytes of [ring.payloadMax, ring.payloadMax - 1, 0, 1]) {
      const payload = payloadOf(bytes, shift);
      assert.ok(ring.push(1, 2, 3, payload));
      assert.deepEqual(Buffer.from(ring.peek()?.payload ?? []), payload);
      ring.pop();
    }
  }
});

test('a message that never fits is refused as the mistake it is', () => {
  const ring = Ring.create(arena, 1024, new Bell(arena));
  assert.throws(() => ring.push(1, 2, 3, Buffer.alloc(ring.payloadMax + 1)), /489 bytes never fits/);
  for (const bytes of [0, 32, 100, Number.NaN])
    assert.throws(() => Ring.create(arena, bytes, new Bell(arena)), /a ring cannot have/);
});

test('a full ring says so, keeps what it has, and takes more once there is room', () => {
  const ring = Ring.create(arena, 1024, new Bell(arena));
  const payload = Buffer.alloc(40);
  let held = 0;
  while (ring.push(held, 0, 0, payload)) held++;
  assert.equal(held, 16);
  assert.equal(ring.push(99, 0, 0, payload), false);
  for (let n = 0; n < held; n++) {
    assert.equal(ring.peek()?.kind, n);
    ring.pop();
    assert.ok(ring.push(held + n, 0, 0, payload));
    assert.equal(ring.push(99, 0, 0, payload), false);
  }
});

test('two threads pass 100,000 messages', async () => {
  const bell = new Bell(arena);
  const ring = Ring.create(arena, 16_384, bell);
  const count = 100_000;
  const thread = await startThread(arena, 'takeMessages', { ring: ring.descriptor, count });
  let full = 0;
  for (let n = 0; n < count; ) {
    const { kind, call, stamp, payload } = patternOf(n);
    if (ring.push(kind, call, stamp, payload)) n++;
    else if (++full % 1000 === 0) await turn();
  }
  await thread.result;
  assert.ok(full > 0, 'the ring was full now and then');
  assert.equal(ring.peek(), undefined);
});

test('a bell never loses a wake-up: two threads that sleep between messages', { timeout: 30_000 }, async () => {
  const mine = new Bell(arena);
  const answers = Ring.create(arena, 1024, mine);
  const asks = Ring.create(arena, 1024, new Bell(arena));
  const thread = await startThread(arena, 'echoMessages', { from: asks.descriptor, to: answers.descriptor });
  for (let n = 1; n <= 5000; n++) {
    assert.ok(asks.push(1, n, 0, Buffer.alloc(n % 50)));
    // Now and then the answer comes before the wait begins.
    for (let spin = 0; spin < (n * 7919) % 4000; spin++);
    for (;;) {
      const state = mine.state();
      const message = answers.peek();
      if (message) {
        assert.equal(message.call, n);
        answers.pop();
        break;
      }
      await mine.wait(state);
    }
  }
  asks.push(0, 0, 0, Buffer.alloc(0));
  await thread.result;
});

test('many threads may ring one bell', { timeout: 30_000 }, async () => {
  const bell = new Bell(arena);
  const count = 10_000;
  const rings = [0, 1].map(() => Ring.create(arena, 4096, bell));
  const threads = await Promise.all(
    rings.map((ring) => startThread(arena, 'sendMessages', { ring: ring.descriptor, count })),
  );
  const taken = [0, 0];
  while (taken[0] + taken[1] < 2 * count) {
    const state = bell.state();
    let idle = true;
    for (const [which, ring] of rings.entries()) {
      for (let message = ring.peek(); message; message = ring.peek()) {
        assert.equal(message.call, patternOf(taken[which]).call);
        taken[which]++;
        ring.pop();
        idle = false;
      }
    }
    if (idle) await bell.wait(state);
  }
  await Promise.all(threads.map(({ result }) => result));
});

test('a ring before the wait is a ring', async () => {
  const bell = new Bell(arena);
  const state = bell.state();
  bell.ring();
  await bell.wait(state);
});

test('a wait leaves the event loop free, and ends with the ring', async () => {
  const bell = new Bell(arena);
  let woken = false;
  const wait = bell.wait(bell.state()).then(() => {
    woken = true;
  });
  for (let n = 0; n < 100; n++) await turn();
  assert.equal(woken, false);
  new Bell(arena, bell.address).ring();
  await wait;
});

test('a wait keeps no process alive', () => {
  const script = `
    import { Arena } from ${JSON.stringify(new URL('./arena.ts', import.meta.url).href)};
    import { Bell } from ${JSON.stringify(new URL('./ring.ts', import.meta.url).href)};
    const bell = new Bell(Arena.create(65536));
    bell.wait(bell.state()).then(() => process.exit(3));`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { timeout: 10_000 });
  assert.equal(status, 0, String(stderr));
});
