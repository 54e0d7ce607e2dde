import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';
import {
  AllocationMethod,
  type DeepPartial,
  Experiment,
  ExperimentServiceService,
  type GetExperimentResponse,
} from '../../proto/gen/accrete/v1/experiment.ts';
import { Rating } from '../../proto/gen/accrete/v1/rating.ts';
import { RateRequest, RecommenderServiceService, RecommendRequest } from '../../proto/gen/accrete/v1/recommender.ts';
import { printReport } from './commands/experiments.ts';
import type { Connection } from './connection.ts';
import { CLICKS, clicksOf, drawsFrom, LIKED, type Reader, type RealRating, readReaders } from './demo-readers.ts';
import { runDemo } from './demo-server.ts';
import { formatCount, Output } from './output.ts';

/** `npm run demo:ab`: real users and a click model, an experiment of two arms, and then the same question by interleaving. */

const RATINGS = fileURLToPath(new URL('../../test/data/ml-latest-small/ratings.csv', import.meta.url));
const BATCH = 1000;
/** Users who come between two looks at the report. After so many looks an experiment ends when it is decided, or in the end. */
const STEP = 100;
const STEPS_MIN = 6;
const STEPS_MAX = 60;
const LIST = 10;
/** Users at once. */
const AT_ONCE = 8;

const ARMS = [
  { name: 'popular', model: 'popularity', weight: 1 },
  { name: 'similar', model: 'item-cf', weight: 1 },
];
const MODELS = ARMS.map(({ model }) => ({ name: model, plugin: model }));

class Demo {
  readonly #connection: Connection;
  readonly #readers: readonly Reader[];
  readonly #output = new Output(false);
  readonly #draw = drawsFrom(1);
  #next = 0;

  constructor(connection: Connection, readers: readonly Reader[]) {
    this.#connection = connection;
    this.#readers = readers;
  }

  async run(earlier: readonly RealRating[]): Promise<void> {
    this.#heading('It learns the earlier half of what each user of MovieLens latest-small rated');
    for (let n = 0; n < earlier.length; n += BATCH)
      await this.#rate(earlier.slice(n, n + BATCH).map((rating) => ratingOf(rating)));
    this.#output.line(`${formatCount(earlier.length)} ratings of ${formatCount(this.#readers.length)} users`);
    this.#output.line(
      `\nFrom here on the users are simulated: each looks at lists of ${LIST}, at place n with chance 1/n, and clicks on what is looked\n` +
        `at with chance ${CLICKS.liked} if they really gave it ${LIKED} stars or more later, ${CLICKS.rated} if fewer, ${CLICKS.other} if they never rated it. Who\n` +
        'clicks on a movie also rates it, as they really did.',
    );
    await this.#experiment(
      'half-each',
      'An experiment: half of the users are answered by each model. What came of it, whenever one looks',
      { primaryMetric: 'conversion' },
    );
    await this.#experiment(
      'both',
      'The same question by interleaving: both models draft every list, and clicks are for whoever brought the item',
      { allocation: AllocationMethod.ALLOCATION_METHOD_INTERLEAVE },
    );
  }

  /** Users come until it is decided. */
  async #experiment(name: string, heading: string, more: DeepPartial<Experiment>): Promise<void> {
    this.#heading(heading);
    const experiment = Experiment.fromPartial({ name, arms: ARMS, ...more });
    await this.#connection.call(ExperimentServiceService.createExperiment, { experiment, validateOnly: false });
    const metric = more.primaryMetric ?? 'preference';
    let answer: GetExperimentResponse | undefined;
    for (let step = 1; step <= STEPS_MAX && !(step > STEPS_MIN && answer?.report?.winner); step++) {
      const clicks = await this.#step();
      answer = await this.#reportAfter(name, step * STEP);
      const found = answer.report?.arms[1].differences.find((row) => row.metric === metric);
      const bounds = found?.lower === undefined ? '' : ` [${found.lower.toFixed(3)}, ${found.upper?.toFixed(3)}]`;
      const value = found
        ? `${metric} of ${ARMS[1].name} against ${ARMS[0].name}: ${found.value.toFixed(3)}${bounds}`
        : '';
      this.#output.line(
        `${formatCount(step * STEP).padStart(6)} lists, ${clicks} clicks on the last ${STEP}; ${value}`,
      );
    }
    await this.#connection.call(ExperimentServiceService.stopExperiment, { name });
    this.#output.line('');
    printReport(await this.#connection.call(ExperimentServiceService.getExperiment, { name }), this.#output);
  }

  /** The next users come. Returns how often they clicked. */
  async #step(): Promise<number> {
    const waiting = Array.from({ length: STEP }, () => this.#readers[this.#next++ % this.#readers.length]).values();
    let clicks = 0;
    const visitor = async () => {
      for (const reader of waiting) {
        const own = await this.#visit(reader);
        clicks += own;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, visitor));
    return clicks;
  }

  async #visit(reader: Reader): Promise<number> {
    const subject = { $case: 'userId', value: reader.userId } as const;
    const request = RecommendRequest.fromPartial({ subject, pageSize: LIST });
    const answer = await this.#connection.call(RecommenderServiceService.recommend, request);
    const { recommendationId } = answer;
    const list = answer.items.map(({ itemId }) => itemId);
    const clicked = clicksOf(reader, list, this.#draw);
    const events = clicked.flatMap((itemId) => {
      const rated = reader.later.get(itemId);
      const click = Rating.fromPartial({ userId: reader.userId, itemId, kind: 'click', recommendationId });
      return rated ? [click, ratingOf(rated, recommendationId)] : [click];
    });
    if (events.length > 0) await this.#rate(events);
    return clicked.length;
  }

  async #rate(ratings: Rating[]): Promise<void> {
    await this.#connection.call(RecommenderServiceService.rate, RateRequest.fromPartial({ ratings }));
  }

  /** Exposures go to the log a moment after the answers. */
  async #reportAfter(name: string, lists: number): Promise<GetExperimentResponse> {
    for (;;) {
      const answer = await this.#connection.call(ExperimentServiceService.getExperiment, { name });
      const { experiment, report } = answer;
      const isShared = experiment?.allocation === AllocationMethod.ALLOCATION_METHOD_INTERLEAVE;
      const arms = isShared ? report?.arms.slice(0, 1) : report?.arms;
      if ((arms ?? []).reduce((sum, { exposures }) => sum + Number(exposures), 0) >= lists) return answer;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  #heading(text: string): void {
    this.#output.line(`\n${styleText('bold', text)}`);
  }
}

/** `recommendationId`: what it is the outcome of; it comes now, whenever it really was. */
function ratingOf({ userId, itemId, value, time }: RealRating, recommendationId = ''): Rating {
  const eventTime = recommendationId === '' ? { seconds: BigInt(time), nanos: 0 } : undefined;
  return Rating.fromPartial({ userId, itemId, value, eventTime, recommendationId });
}

await runDemo({
  models: MODELS,
  flags: ['--kinds={"click":{"weight":1}}'],
  next: 'Yours: `npx accrete experiments create --help`, docs/experiments.md.',
  run: async (connection) => {
    const { earlier, readers } = await readReaders(RATINGS);
    await new Demo(connection, readers).run(earlier);
  },
});
