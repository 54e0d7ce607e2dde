import type { Draws } from '../budget.ts';
import { mutate } from './bodies.ts';
import { METHODS } from './messages.ts';
import { framed, type RawRequest } from './raw-call.ts';

/** Calls with wrong bodies, and calls that are wrong themselves. */

export interface OddCall extends RawRequest {
  readonly what: string;
  /** The body, where the call is otherwise as it should be: then it may be accepted. */
  readonly body?: Buffer;
}

/** Methods that start a thread are called less often. */
const RARE = /Evaluate|LoadModel|Export|Fuse|RollbackModel|Checkpoint|ForgetUser/;

export function oddBody(draws: Draws): OddCall {
  let method = draws.pick(METHODS);
  if (RARE.test(method.path) && draws.chance(0.7)) method = draws.pick(METHODS);
  const { what, body } = mutate(draws.pick(method.requests), draws);
  return { what: `${method.name} with ${what}`, path: method.path, chunks: inParts(framed(body), draws), body };
}

/** As many DATA frames as it pleases. */
function inParts(bytes: Buffer, draws: Draws): Buffer[] {
  if (!draws.chance(0.2)) return [bytes];
  const cuts = Array.from({ length: draws.below(6) }, () => draws.below(bytes.length)).sort((a, b) => a - b);
  return [0, ...cuts].map((from, n) => bytes.subarray(from, cuts[n] ?? bytes.length));
}

type Frame = (call: { readonly path: string; readonly body: Buffer }, draws: Draws) => Partial<RawRequest>;

const FRAMES: Readonly<Record<string, Frame>> = {
  'a length that is too long': ({ body }, draws) => ({ chunks: [framed(body, 0, body.length + draws.size(1000))] }),
  'a length that is too short': ({ body }, draws) => ({
    chunks: [framed(Buffer.concat([body, Buffer.alloc(9)]), 0, draws.below(4))],
  }),
  'a length over the limit': ({ body }, draws) => ({
    chunks: [framed(body, 0, draws.pick([2 ** 32 - 1, 2 ** 31, 5 * 2 ** 20]))],
  }),
  'a flag that says compressed': ({ body }) => ({ chunks: [framed(body, 1)] }),
  'a flag that is none': ({ body }, draws) => ({ chunks: [framed(body, 1 + draws.below(255))] }),
  'an encoding that is not kept': ({ body }, draws) => ({
    headers: { 'grpc-encoding': draws.pick(['gzip', 'deflate']) },
    chunks: [framed(body, 1)],
  }),
  'an encoding that is none': ({ body }) => ({ headers: { 'grpc-encoding': 'rot13' }, chunks: [framed(body, 1)] }),
  'a prefix that is cut off': ({ body }, draws) => ({ chunks: [framed(body).subarray(0, 1 + draws.below(4))] }),
  'no message': () => ({ chunks: [] }),
  'empty DATA': () => ({ chunks: [Buffer.alloc(0), Buffer.alloc(0)] }),
  'several messages': ({ body }, draws) => ({ chunks: Array(2 + draws.below(20)).fill(framed(body)) }),
  'a path that is none': (_, draws) => ({
    path: draws.pick(['/', '//', '/accrete.v1.RecommenderService/', '/x', `/${'y'.repeat(9000)}`, '/a/b/c']),
  }),
  'another content type': (_, draws) => ({
    headers: { 'content-type': draws.pick(['text/plain', 'application/json', '', 'application/gRPC-web']) },
  }),
  'another method': (_, draws) => ({
    headers: { ':method': draws.pick(['GET', 'PUT', 'HEAD', 'OPTIONS']) },
    chunks: [],
  }),
  'a deadline that is none': (_, draws) => ({
    headers: { 'grpc-timeout': draws.pick(['', 'soon', '-1S', '9999999999H', '1', '1.5S', '0n']) },
  }),
  'no end': ({ body }) => ({ chunks: [framed(body).subarray(0, -1)], end: 'never', timeoutMs: 50 }),
  'an end by RST_STREAM': ({ body }) => ({ chunks: [framed(body).subarray(0, -1)], end: 'reset' }),
};

export const FRAME_KINDS = Object.keys(FRAMES);

/** The library passes over these mistakes: what such a call asks for may be done, so it asks for nothing lasting. */
const PASSED_OVER = /^a flag|^a deadline/;
const LASTING = /Load|Unload|SetDefault|DeleteScenario|UpsertItems|UpsertUsers/;
/** A stream may have many messages, and none. */
const FRAMED = METHODS.filter(({ path, requests }) => requests[0].length > 5 && !path.endsWith('RateStream'));

/** Wrong in how it is made, with a body that would be accepted. */
export function oddFrame(draws: Draws, what = draws.pick(FRAME_KINDS)): OddCall {
  const isHarmless = PASSED_OVER.test(what);
  const methods = isHarmless ? FRAMED.filter(({ path }) => !LASTING.test(path)) : FRAMED;
  const { name, path, requests } = draws.pick(methods);
  // The last request of a method is one that is only to be validated, where there is such a thing.
  const body = requests.at(isHarmless ? -1 : 0) as Buffer;
  return { what: `${name} with ${what}`, path, chunks: [framed(body)], ...FRAMES[what]({ path, body }, draws) };
}
