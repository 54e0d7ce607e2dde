import type { Draws } from '../budget.ts';

/** Protobuf messages that are no longer what they were, and most often none at all. */

type Mutation = (body: Buffer, draws: Draws) => Buffer;

/** How large a body gets, so that the limit on messages is met from both sides. */
const BYTES_MAX = 5 * 2 ** 20;

const MUTATIONS: Readonly<Record<string, Mutation>> = {
  truncated: (body, draws) => body.subarray(0, draws.below(body.length + 1)),
  'bits flipped': (body, draws) => changed(body, draws, (byte) => byte ^ (1 << draws.below(8))),
  'bytes changed': (body, draws) => changed(body, draws, () => draws.pick([0, 0x7f, 0x80, 0xff, draws.below(256)])),
  'a part taken out': (body, draws) => {
    const [from, to] = range(body, draws);
    return Buffer.concat([body.subarray(0, from), body.subarray(to)]);
  },
  'a part twice': (body, draws) => {
    const [from, to] = range(body, draws);
    return Buffer.concat([body.subarray(0, to), body.subarray(from)]);
  },
  'a length that lies': (body, draws) =>
    withField(body, draws, (tag, value) => [tag, varint(draws.size(2 ** 40)), value]),
  'another wire type': (body, draws) =>
    withField(body, draws, (tag, value) => [
      varint((readVarint(tag) & ~7) | draws.below(8)),
      varint(value.length),
      value,
    ]),
  'another field': (body, draws) =>
    withField(body, draws, (tag, value) => [
      varint((draws.size(300) << 3) | (readVarint(tag) & 7)),
      varint(value.length),
      value,
    ]),
  'an unknown field': (body, draws) => insert(body, draws, unknownField(draws)),
  'groups in groups': (body, draws) => {
    const [depth, field] = [draws.size(100_000), 1 + draws.below(20)];
    const groups = [Buffer.alloc(depth, (field << 3) | 3), Buffer.alloc(draws.pick([0, depth]), (field << 3) | 4)];
    return insert(body, draws, Buffer.concat(groups));
  },
  'a huge text': (body, draws) => {
    const text = Buffer.alloc(draws.size(BYTES_MAX), draws.pick(['x', '\u0000', '\u00fc', '\ud83d\ude00']));
    return withField(body, draws, (tag) => [tag, varint(text.length), text]);
  },
  'a text that is not UTF-8': (body, draws) =>
    withField(body, draws, (tag, value) => [tag, varint(value.length), draws.bytes(value.length)]),
  'a field many times': (body, draws) => {
    const times = draws.size(100_000);
    return withField(body, draws, (tag, value) => {
      const one = Buffer.concat([tag, varint(value.length), value]);
      return [Buffer.concat(Array(Math.min(times, Math.ceil(BYTES_MAX / one.length))).fill(one))];
    });
  },
  'a message inside itself': (body, draws) => {
    const depth = draws.size(3000);
    const tag = draws.pick([0x0a, 0x12, 0x1a, 0x2a, 0x32]);
    let inner = body.subarray(0, 200);
    for (let n = 0; n < depth; n++) inner = Buffer.concat([Buffer.from([tag]), varint(inner.length), inner]);
    return inner;
  },
  'a struct in a struct': (body, draws) => insert(body, draws, deepStruct(draws)),
  'noise alone': (_, draws) => draws.bytes(draws.size(300)),
  nothing: () => Buffer.alloc(0),
  'numbers that are none': (body, draws) => {
    const odd = draws.pick([Number.NaN, Number.POSITIVE_INFINITY, -0, Number.MIN_VALUE, -1e308]);
    const double = Buffer.alloc(8);
    double.writeDoubleLE(odd);
    const at = body.indexOf(Buffer.from([0, 0, 0, 0x0c, 0x40]));
    return at < 3 ? body : Buffer.concat([body.subarray(0, at - 3), double, body.subarray(at + 5)]);
  },
  'as it was': (body) => body,
};

export function mutate(body: Buffer, draws: Draws): { readonly what: string; readonly body: Buffer } {
  const what = draws.pick(Object.keys(MUTATIONS));
  const once = MUTATIONS[what](body, draws);
  if (!draws.chance(0.2) || once.length > 10_000) return { what, body: once };
  const more = draws.pick(Object.keys(MUTATIONS));
  return { what: `${what}, ${more}`, body: MUTATIONS[more](once, draws) };
}

/** Where fields with a length may begin, as far as one can tell: their tag, and their value up to the end of the message. */
function withField(body: Buffer, draws: Draws, make: (tag: Buffer, value: Buffer) => Uint8Array[]): Buffer {
  const places: number[] = [];
  for (let at = 0; at + 1 < body.length; at++)
    if ((body[at] & 7) === 2 && body[at] >= 0x0a && at + 2 + body[at + 1] <= body.length) places.push(at);
  if (places.length === 0) return insert(body, draws, Buffer.concat(make(Buffer.from([0x0a]), Buffer.from('abc'))));
  const at = draws.pick(places);
  const end = at + 2 + body[at + 1];
  return Buffer.concat([
    body.subarray(0, at),
    ...make(body.subarray(at, at + 1), body.subarray(at + 2, end)),
    body.subarray(end),
  ]);
}

function unknownField(draws: Draws): Buffer {
  const field = draws.pick([0, 15, 16, 1000, 19_000, 2 ** 29 - 1]);
  const tag = (type: number) => varint(field * 8 + type);
  const value = draws.bytes(draws.size(100));
  return draws.pick([
    () => Buffer.concat([tag(0), varint(2 ** 53)]),
    () => Buffer.concat([tag(1), draws.bytes(8)]),
    () => Buffer.concat([tag(2), varint(value.length), value]),
    () => Buffer.concat([tag(3), tag(4)]),
    () => Buffer.concat([tag(5), draws.bytes(4)]),
    () => Buffer.concat([tag(0), Buffer.alloc(draws.size(20), 0xff)]),
  ])();
}

/** `google.protobuf.Struct` or `ListValue`, in itself: the value `config` of LoadModel, or an attribute of an item. */
function deepStruct(draws: Draws): Buffer {
  const depth = draws.size(4000);
  const field = (tag: number, value: Buffer) => Buffer.concat([Buffer.from([tag]), varint(value.length), value]);
  const isList = draws.chance(0.5);
  let value: Buffer = Buffer.from([0x20, 1]);
  for (let n = 0; n < depth; n++) {
    const entry = () => field(0x0a, Buffer.concat([field(0x0a, Buffer.from('k')), field(0x12, value)]));
    value = isList ? field(0x32, field(0x0a, value)) : field(0x2a, entry());
  }
  const struct = field(0x0a, Buffer.concat([field(0x0a, Buffer.from('replay')), field(0x12, value)]));
  return draws.pick([
    () => field(0x1a, struct),
    () => field(0x0a, Buffer.concat([field(0x0a, Buffer.from('deep')), field(0x2a, struct)])),
  ])();
}

function changed(body: Buffer, draws: Draws, change: (byte: number) => number): Buffer {
  const bytes = Buffer.from(body);
  for (let n = draws.size(8); n > 0 && bytes.length > 0; n--) {
    const at = draws.below(bytes.length);
    bytes[at] = change(bytes[at]);
  }
  return bytes;
}

function insert(body: Buffer, draws: Draws, part: Buffer): Buffer {
  const at = draws.pick([0, body.length, draws.below(body.length + 1)]);
  return Buffer.concat([body.subarray(0, at), part, body.subarray(at)]);
}

function range(body: Buffer, draws: Draws): [number, number] {
  const from = draws.below(body.length + 1);
  return [from, from + draws.below(body.length - from + 1)];
}

function readVarint(bytes: Buffer): number {
  return bytes[0];
}

export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt(Math.max(0, Math.floor(value)));
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}
