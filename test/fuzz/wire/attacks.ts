import { setTimeout as sleep } from 'node:timers/promises';
import { HealthCheckRequest } from '../../../proto/gen/grpc/health/v1/health.ts';
import type { Draws } from '../budget.ts';
import {
  callHeaders,
  END_HEADERS,
  END_STREAM,
  FRAME,
  frame,
  PADDED,
  PREFACE,
  setting,
  uint32,
  Wire,
} from './frames.ts';
import { framed } from './raw-call.ts';

/** What a client may do to a server below gRPC. `scale` 1 is for a short run. */

type Attack = (address: string, draws: Draws, scale: number) => Promise<void>;

const NOTHING = Buffer.alloc(0);
const RECOMMEND = '/accrete.v1.RecommenderService/Recommend';
const CHECK = '/grpc.health.v1.Health/Check';
const checked = framed(Buffer.from(HealthCheckRequest.encode({ service: '' }).finish()));
const open = (stream: number, path = CHECK, flags = END_HEADERS) =>
  frame(FRAME.headers, flags, stream, callHeaders(path));

/** One connection: the frames, then some time to answer. */
const sends =
  (make: (draws: Draws, scale: number) => readonly Uint8Array[], greets = true): Attack =>
  async (address, draws, scale) => {
    const wire = await Wire.open(address, greets);
    await wire.send(...make(draws, scale));
    await wire.leave();
  };

const times = (count: number, make: (n: number) => Uint8Array) => Array.from({ length: count }, (_, n) => make(n));

export const ATTACKS: Readonly<Record<string, Attack>> = {
  'a preface that is none': sends(
    (draws) => [draws.pick([Buffer.from('GET / HTTP/1.1\r\n\r\n'), PREFACE.subarray(0, 9), draws.bytes(500), PREFACE])],
    false,
  ),
  'frames at random': sends((draws, scale) =>
    times(200 * scale, () =>
      frame(draws.below(12), draws.below(256), draws.pick([0, 1, 2, 3, 5, 2 ** 31 - 1]), draws.bytes(draws.size(200))),
    ),
  ),
  'frames whose length lies': sends((draws) => [
    frame(draws.below(10), END_HEADERS, 1, draws.bytes(50), draws.pick([0, 1, 2 ** 14 + 1, 2 ** 24 - 1])),
    draws.bytes(draws.size(20_000)),
  ]),
  'settings that are too large': sends((draws) => [
    frame(FRAME.settings, 0, 0, Buffer.concat(times(draws.pick([2731, 10_000]), (n) => setting(n, n)))),
  ]),
  'settings that are none': sends((draws) => [
    frame(
      FRAME.settings,
      0,
      0,
      draws.pick([setting(4, 2 ** 31), setting(5, 1), setting(2, 7), draws.bytes(7), setting(1, 2 ** 32 - 1)]),
    ),
    open(1, CHECK, END_HEADERS),
    frame(FRAME.data, END_STREAM, 1, checked),
  ]),
  'a flood of settings': sends((_, scale) => times(5000 * scale, () => frame(FRAME.settings, 0, 0, setting(3, 100)))),
  'a flood of pings': sends((_, scale) => times(20_000 * scale, () => frame(FRAME.ping, 0, 0, Buffer.alloc(8)))),
  'headers that are too large': sends((draws) => [
    frame(FRAME.headers, END_HEADERS, 1, callHeaders(CHECK, ['x-large', 'y'.repeat(draws.pick([16_000, 70_000]))])),
  ]),
  'headers that grow when they are read': sends((_, scale) => {
    // One entry of 4,000 bytes in the table (0x40: with indexing), then references to it, of one byte each.
    const entry = Buffer.concat([
      Buffer.from([0x40, 1]),
      Buffer.from('x'),
      Buffer.from([0x7f, 0xa1, 0x1e]),
      Buffer.alloc(4000, 'y'),
    ]);
    const block = Buffer.concat([callHeaders(CHECK), entry, Buffer.alloc(10_000, 0xbe)]);
    return times(20 * scale, (n) => frame(FRAME.headers, END_HEADERS, 2 * n + 1, block));
  }),
  'headers that do not end': sends((draws, scale) => [
    open(1, CHECK, 0),
    ...times(10_000 * scale, () => frame(FRAME.continuation, 0, 1, draws.pick([NOTHING, Buffer.alloc(1)]))),
  ]),
  'headers that do not end, and are large': sends((_, scale) => [
    open(1, CHECK, 0),
    ...times(200 * scale, () =>
      frame(FRAME.continuation, 0, 1, Buffer.concat(times(3, () => callHeaders('/x'.repeat(2000))))),
    ),
  ]),
  'calls that are reset at once': sends((_, scale) =>
    times(3000 * scale, (n) =>
      Buffer.concat([
        open(2 * n + 1, RECOMMEND),
        frame(FRAME.data, END_STREAM, 2 * n + 1, checked),
        frame(FRAME.rst, 0, 2 * n + 1, uint32(8)),
      ]),
    ),
  ),
  'answers that are not taken': sends((_, scale) => [
    frame(FRAME.settings, 0, 0, setting(4, 0)),
    ...times(300 * scale, (n) => Buffer.concat([open(2 * n + 1), frame(FRAME.data, END_STREAM, 2 * n + 1, checked)])),
  ]),
  'windows that overflow': sends((draws) => [
    open(1),
    frame(FRAME.window, 0, draws.pick([0, 1]), uint32(2 ** 31 - 1)),
    frame(FRAME.window, 0, draws.pick([0, 1]), uint32(2 ** 31 - 1)),
    frame(FRAME.window, 0, draws.pick([0, 1, 99]), uint32(0)),
  ]),
  'empty DATA without end': sends((_, scale) => [
    open(1),
    ...times(10_000 * scale, () => frame(FRAME.data, 0, 1, NOTHING)),
  ]),
  'more DATA than the windows let through': sends((_, scale) => [
    open(1),
    ...times(50 * scale, () => frame(FRAME.data, 0, 1, Buffer.alloc(16_384))),
  ]),
  'DATA where none may be': sends((draws) => [
    open(1, CHECK, END_HEADERS | END_STREAM),
    frame(FRAME.data, END_STREAM, draws.pick([0, 1, 2, 7]), checked),
    frame(FRAME.data, PADDED, 3, Buffer.from([255, 1, 2])),
  ]),
  'streams out of order': sends((draws) => [open(99), open(draws.pick([1, 2, 99])), open(2 ** 31 - 1), open(101)]),
  'frames that only servers send': sends((draws) => [
    draws.pick([
      frame(FRAME.push, END_HEADERS, 1, Buffer.concat([uint32(2), callHeaders(CHECK)])),
      frame(FRAME.goaway, 0, 0, Buffer.alloc(8)),
      frame(FRAME.priority, 0, 1, Buffer.concat([uint32(1), Buffer.alloc(1)])),
      frame(FRAME.rst, 0, 0, uint32(8)),
      frame(FRAME.ping, 1, 0, Buffer.alloc(8)),
    ]),
    open(1),
  ]),
  'clients that are slow': async (address, draws, scale) => {
    const wires = await Promise.all(times(100 * scale, () => NOTHING).map(() => Wire.open(address, draws.chance(0.5))));
    for (let n = 0; n < 3; n++) {
      await Promise.all(
        wires.map((wire) => wire.send(draws.pick([PREFACE.subarray(0, 1 + n), open(1).subarray(0, 5 + n)]))),
      );
      await sleep(20);
    }
    await Promise.all(wires.map((wire) => wire.leave(1)));
  },
  'clients that leave at once': async (address, draws, scale) => {
    for (let n = 0; n < 100 * scale; n++) {
      const wire = await Wire.open(address, draws.chance(0.5));
      if (draws.chance(0.3)) await wire.send(open(1), frame(FRAME.data, END_STREAM, 1, checked));
      await wire.leave(0);
    }
  },
};
