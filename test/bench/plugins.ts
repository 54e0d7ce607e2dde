import { RecommenderServiceService } from '../../proto/gen/accrete/v1/recommender.ts';
import { loadPlugin } from '../../server/models/plugins.ts';
import { find100k, type Ratings } from '../data.ts';
import { pluginNames } from '../laws/subjects.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { Blast } from './blast.ts';
import { benchMemory } from './memory.ts';
import { encodeRatings, rateAll } from './rating-stream.ts';
import { recommendRequests } from './recommend-requests.ts';
import { type Figure, ofRounds, type Report } from './report.ts';
import { DEFAULT_MODEL, readCpuTimes, requireConfigHash, SHIPPED, withServer } from './server.ts';

/**
 * What each plugin costs by itself at its defaults, and the models of a fresh server together: to learn, to recommend, in
 * memory. In every round each in turn is a new process with an empty store. Where the machine does other work too, the CPU
 * of a thread says more than the time.
 */

const part = 'plugins';
const ROUNDS = 3;
const BATCH = 1000;
/** What the server appends while it learns, and more that waits. */
const BATCHES_IN_FLIGHT = 64;
const CALLS = 2000;
/** The learner of a fresh server: ratings a second, all rankings and replay included. */
const TARGET = { atLeast: 20_000 };

interface Contestant {
  readonly name: string;
  readonly models: typeof SHIPPED;
  /** The model that is asked to recommend. */
  readonly asked: string;
}

interface Round {
  /** The first ratings that the process takes. */
  readonly first: Learned;
  /** The same ratings of other users for other items, right after. */
  readonly second: Learned;
  readonly p50Us: number;
  readonly p99Us: number;
  /** CPU of the thread that answers, for a Recommend. */
  readonly answerUs: number;
}

interface Learned {
  readonly perSecond: number;
  /** CPU of the learner for a rating; NaN where the system does not tell. */
  readonly cpuUs: number;
}

export async function benchPlugins(report: Report): Promise<void> {
  report.heading('Plugins alone and the models of a fresh server: ml-100k learned; then Recommend, one at a time');
  const { skip, ratings } = find100k();
  if (ratings) await benchSpeed(report, ratings);
  else report.note(String(skip));
  await benchMemory(report);
}

async function benchSpeed(report: Report, ratings: Ratings): Promise<void> {
  const blast = Blast.build();
  if (blast.handicap) report.note(blast.handicap);
  const all = await findContestants();
  const rounds = all.map((): Round[] => []);
  const hashes: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const [n, each] of all.entries()) {
      await withServer({ models: each.models }, async (server) => {
        rounds[n].push(await measure(blast, server, ratings, each));
        hashes[n] = await requireConfigHash(server, each.asked);
      });
    }
  }
  for (const [n, each] of all.entries()) {
    for (const figure of figuresOf(each, rounds[n])) report.add({ part, ...figure, configHash: hashes[n] });
  }
  const [inputs, fresh] = rounds.slice(-2);
  for (const figure of freshFigures(fresh, inputs)) report.add({ part, ...figure, configHash: hashes[all.length - 1] });
}

/** Every plugin that needs no others; a fresh server's models without the one that needs them; and with it. */
async function findContestants(): Promise<Contestant[]> {
  const plugins = await Promise.all(pluginNames().map((name) => loadPlugin(name)));
  const alone = plugins
    .filter((plugin) => !plugin.inputs)
    .map(({ name }) => ({ name, models: [{ name, plugin: name, config: {} }], asked: name }));
  const inputs = SHIPPED.filter(({ name }) => name !== DEFAULT_MODEL);
  return [
    ...alone,
    { name: `a fresh server without ${DEFAULT_MODEL}`, models: inputs, asked: inputs[0].name },
    { name: 'a fresh server', models: SHIPPED, asked: DEFAULT_MODEL },
  ];
}

async function measure(blast: Blast, server: ServerProcess, ratings: Ratings, { asked }: Contestant): Promise<Round> {
  const first = await learn(server, ratings, '');
  const messages = recommendRequests(ratings, CALLS, { model: asked });
  const { path } = RecommenderServiceService.recommend;
  const ask = () => blast.run({ address: server.address, path, messages, calls: CALLS, inFlight: 1 });
  // At first the server still warms up.
  await ask();
  const before = readCpuTimes(server).serving;
  const { p50Us, p99Us } = await ask();
  const answerUs = ((readCpuTimes(server).serving - before) / CALLS) * 1e6;
  return { first, second: await learn(server, ratings, 'other-'), p50Us, p99Us, answerUs };
}

async function learn(server: ServerProcess, ratings: Ratings, prefix: string): Promise<Learned> {
  const requests = encodeRatings(ratings, { batch: BATCH, prefix });
  const before = readCpuTimes(server).learner;
  const beganMs = performance.now();
  await rateAll(server.client, requests, BATCHES_IN_FLIGHT);
  const seconds = (performance.now() - beganMs) / 1000;
  const cpuUs = ((readCpuTimes(server).learner - before) / ratings.count) * 1e6;
  return { perSecond: ratings.count / seconds, cpuUs };
}

type Found = Omit<Figure, 'part' | 'configHash'>;

function figuresOf({ name, asked }: Contestant, rounds: readonly Round[]): Found[] {
  const of = (value: (round: Round) => number) => ofRounds(rounds.map(value));
  return told([
    { name: `${name}: learns`, ...of(({ first }) => first.perSecond), unit: 'ratings/s' },
    {
      name: '  as many again, of other users for other items',
      ...of(({ second }) => second.perSecond),
      unit: 'ratings/s',
    },
    { name: '  CPU of the learner', ...of(({ first }) => first.cpuUs), unit: 'us/rating' },
    { name: '  the same of as many again', ...of(({ second }) => second.cpuUs), unit: 'us/rating' },
    { name: `  Recommend by ${asked}, p50`, ...of(({ p50Us }) => p50Us), unit: 'us' },
    { name: `  Recommend by ${asked}, p99`, ...of(({ p99Us }) => p99Us), unit: 'us' },
    { name: '  CPU of the thread that answers', ...of(({ answerUs }) => answerUs), unit: 'us/call' },
  ]);
}

/** What the learner of a fresh server can do, and what the model that needs others adds to what those take. */
function freshFigures(fresh: readonly Round[], inputs: readonly Round[]): Found[] {
  const of = (value: (round: Round, n: number) => number) => ofRounds(fresh.map(value));
  const perSecond = { ...of(({ first }) => 1e6 / first.cpuUs), unit: 'ratings/s', target: TARGET };
  const again = { ...of(({ second }) => 1e6 / second.cpuUs), unit: 'ratings/s', target: TARGET };
  const added = of(({ second }, n) => second.cpuUs - inputs[n].second.cpuUs);
  return told([
    { name: "a fresh server: by its learner's CPU, a second of that learns", ...perSecond },
    { name: '  the same of as many again', ...again },
    { name: `  of which ${DEFAULT_MODEL} itself takes`, ...added, unit: 'us/rating' },
  ]);
}

/** Without those that the system does not tell. */
function told(figures: readonly Found[]): Found[] {
  return figures.filter(({ value }) => !Number.isNaN(value));
}
