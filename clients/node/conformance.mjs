// Interprets ../conformance/scenario.json; the addresses are in the environment.

import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { context, propagation } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import * as accrete from 'accrete-client';

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
propagation.setGlobalPropagator(new W3CTraceContextPropagator());

const SERVICES = {
  RecommenderService: 'recommender',
  ModelService: 'models',
  UserService: 'users',
  CatalogService: 'catalog',
  ImportService: 'imports',
  ExperimentService: 'experiments',
};

/** The messages of the contract by their names. */
const MESSAGES = { ...accrete };

let client = accrete.connect();
const saved = {};

/** What a step does; each gives its answer. */
const ACTIONS = {
  /** Any call of the contract; the answers of a stream are `messages`. */
  async call({ method, request = {}, requests, timeoutMs, cancelAfterMs }) {
    const { call, name } = find(method);
    const From = MESSAGES[`${name}Request`];
    const To = MESSAGES[`${name}Response`];
    const signal = cancelAfterMs === undefined ? undefined : AbortSignal.timeout(cancelAfterMs);
    const input =
      requests?.filter((each) => !each.progress).map((each) => From.fromJSON(each)) ?? From.fromJSON(request);
    const answer = call(input, { timeoutMs, signal });
    if (!answer[Symbol.asyncIterator]) return To.toJSON(await answer);
    const messages = [];
    for await (const each of answer) messages.push(To.toJSON(each));
    return { messages };
  },

  /** All that an answer in pages has. */
  async pages({ method, request, items: field }) {
    const { call, name } = find(method);
    const pages = [];
    for await (const page of accrete.pages(call, MESSAGES[`${name}Request`].fromJSON(request))) pages.push(page);
    const To = MESSAGES[`${name}Response`];
    return { pages: pages.length, items: pages.flatMap((page) => To.toJSON(page)[field] ?? []) };
  },

  /** A batch by the client's own method. */
  async rate({ ratings }) {
    return accrete.RateResponse.toJSON(await client.rate(ratings.map((each) => accrete.Rating.fromJSON(each))));
  },

  wait: ({ revision }) => client.waitForRevision(revision),

  /** Many ratings by a stream, with something that happens on the way. */
  async stream({ batchSize, listen, at, control, ...ratings }) {
    const refusals = [];
    const onRefused = listen ? (error) => refusals.push(error) : undefined;
    const stream = client.ratingStream({ batchSize, onRefused });
    try {
      const begun = Date.now();
      let early = 0;
      let k = 0;
      for (const rating of ratingsOf(ratings)) {
        if (k++ === at) await ACTIONS.control(control);
        await stream.send(rating);
        if (Date.now() - begun < 500) early++;
      }
      const summary = await stream.close();
      return {
        ...summary,
        early,
        refusals: refusals.map((each) => ({ ...describe(each), ratings: each.ratings.length })),
      };
    } finally {
      await stream.cancel();
    }
  },

  /** Tells the test what to do with the server, or between it and us. */
  async control({ path, body = {} }) {
    const response = await fetch(process.env.ACCRETE_CONTROL + path, { method: 'POST', body: JSON.stringify(body) });
    if (!response.ok) throw new Error(await response.text());
    return response.json();
  },

  /** Goes on with another connection; without an address, with one as at first. */
  connect({ address, ca, certificate, key, token }) {
    client.close();
    const own = certificate === undefined ? {} : { certificate: readFileSync(certificate), key: readFileSync(key) };
    client = accrete.connect({
      ...(address !== undefined && { address }),
      ...(ca !== undefined && { tls: { ca: readFileSync(ca), ...own } }),
      ...(token !== undefined && { token }),
    });
  },

  /** The arm of a unit, as the server writes it. */
  arm({ experiment: given, unit }) {
    const experiment = accrete.Experiment.fromJSON(given);
    return { arm: `${experiment.name}/${accrete.arm(experiment, unit)}` };
  },

  /** Compares with what is published of points and arms. */
  vectors() {
    const { points, experiments } = JSON.parse(readFileSync(process.env.ACCRETE_VECTORS, 'utf8'));
    for (const { salt, unit, point } of points) check(accrete.point(salt, unit), point, unit);
    const slices = (pairs) => pairs.map(([from, to]) => ({ from: BigInt(from), to: BigInt(to) }));
    let assignments = 0;
    for (const { layerSlices, arms, assignments: wanted, ...more } of experiments) {
      const own = arms.map(({ name, slices: pairs }) => ({ name, slices: slices(pairs) }));
      const experiment = { ...more, layerSlices: slices(layerSlices), arms: own };
      for (const { unit, arm } of wanted) check(accrete.arm(experiment, unit) ?? null, arm, `${++assignments} ${unit}`);
    }
    return { points: points.length, assignments };
  },

  /** Compares what was saved. */
  same({ values: [first, ...others] }) {
    if (!others.every((other) => isDeepStrictEqual(other, first))) throw new Error(`these differ: ${first}, ${others}`);
  },
};

/** The ratings of a stream, made by number: clicks, which are counted each, and maybe a bad one among them. */
function* ratingsOf({ user, count, bad, distinct }) {
  for (let k = 0; k < count; k++) {
    if (k === bad) yield { userId: user, itemId: 'bad', value: 99 };
    else if (distinct)
      yield { userId: `${user}-${k % 40}`, itemId: `item-${Math.floor(k / 40)}`, value: 1 + (((k * 7919) % 101) % 5) };
    else yield { userId: `${user}-${k % 7}`, itemId: `item-${k % 50}`, kind: 'click' };
  }
}

/** A call of the client, and its name. */
function find(method) {
  const [service, name] = method.split('/');
  return { call: client[SERVICES[service]][name[0].toLowerCase() + name.slice(1)], name };
}

/** An error as the scenario writes it. */
function describe({ code, reason, violations, retryAfterMs, metadata }) {
  return { code, reason, fields: violations.map(({ field }) => field), retryMs: retryAfterMs, metadata };
}

/** A value with what was saved in place of its ${name}. */
function fill(value) {
  if (typeof value === 'string' && value.startsWith('${')) return saved[value.slice(2, -1)];
  if (Array.isArray(value)) return value.map(fill);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, fill(each)]));
}

/** Throws unless the value has everything that is wanted; what is left out on the wire is its default. */
function check(value, wanted, path) {
  const differs = () => {
    throw new Error(`${path} is ${JSON.stringify(value)}, not ${JSON.stringify(wanted)}`);
  };
  if (wanted === '$some') return isEmpty(value) ? differs() : undefined;
  if (wanted?.$count !== undefined) return (value?.length ?? 0) === wanted.$count ? undefined : differs();
  if (wanted?.$min !== undefined) return Number(value ?? 0) >= wanted.$min ? undefined : differs();
  if (wanted?.$max !== undefined) return Number(value ?? 0) <= wanted.$max ? undefined : differs();
  if (wanted?.$last !== undefined) return check(value?.at(-1), wanted.$last, `${path}.last`);
  if (typeof wanted !== 'object' || wanted === null) {
    return isDeepStrictEqual(value, wanted) || (isEmpty(wanted) && isEmpty(value)) ? undefined : differs();
  }
  if (Array.isArray(wanted) && (value?.length ?? 0) !== wanted.length) differs();
  for (const [key, each] of Object.entries(wanted)) check(value?.[key], each, `${path}.${key}`);
}

function isEmpty(value) {
  return !value || (Array.isArray(value) && value.length === 0);
}

/** Takes a step; throws if it did not go as it should. */
async function take(step) {
  const filled = fill(step);
  const parent = propagation.extract(context.active(), { traceparent: filled.traceparent ?? '' });
  let answer;
  try {
    answer = await context.with(parent, () => ACTIONS[filled.do](filled));
  } catch (error) {
    if (!filled.error || !(error instanceof accrete.AccreteError)) throw error;
    check(describe(error), filled.error, 'error');
    const words = filled.error.code.split('_').map((word) => word[0] + word.slice(1).toLowerCase());
    check(error.constructor.name, `${words.join('')}Error`, 'class');
    return;
  }
  if (filled.error) throw new Error(`no error, but ${JSON.stringify(answer)}`);
  if (filled.expect) check(answer, filled.expect, 'answer');
  for (const [name, path] of Object.entries(step.save ?? {})) {
    saved[name] = path.split('.').reduce((value, key) => value[key], answer);
  }
}

let number = 0;
for (const group of JSON.parse(readFileSync(process.env.ACCRETE_SCENARIO, 'utf8')).groups) {
  for (const step of group.steps) {
    const name = `${++number} ${group.name}: ${step.name}`;
    try {
      await take(step);
      console.log('ok', name);
    } catch (error) {
      console.log('not ok', name, '-', String(error));
      process.exitCode = 1;
    }
  }
}
client.close();
