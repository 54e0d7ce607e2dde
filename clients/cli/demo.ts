import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';
import {
  RateRequest,
  RecommenderServiceService,
  RecommendRequest,
  type RecommendResponse,
} from '../../proto/gen/accrete/v1/recommender.ts';
import { fetchReport } from './commands/evaluate.ts';
import { printSummary } from './commands/import.ts';
import { recommendationTable } from './commands/recommendation.ts';
import { Connection } from './connection.ts';
import { runDemo, TIMEOUT_MS } from './demo-server.ts';
import { Import } from './import/import.ts';
import { ItemImport } from './import/item-import.ts';
import { metricTable } from './metric-table.ts';
import { formatCount, Output, type Table } from './output.ts';
import { createProgress } from './progress.ts';
import { renderTable } from './table.ts';
import { readTitles, type Titles } from './titles.ts';

/** `npm run demo`: a server, a hundred thousand ratings, and a new user whose list follows every rating. */

const MOVIELENS = new URL('../../test/data/ml-latest-small/', import.meta.url);
const RATINGS = fileURLToPath(new URL('ratings.csv', MOVIELENS));
const MOVIES = fileURLToPath(new URL('movies.csv', MOVIELENS));
const USER = 'you';
const COUNT = 8;

/** What the server has by default, and a model that sets taste above popularity, so that its list moves more. */
const TASTE = 'taste';
const MODELS = [
  { name: 'mf', plugin: 'mf' },
  { name: TASTE, plugin: 'mf', config: { popularity: 0.6 } },
  { name: 'popularity', plugin: 'popularity' },
];

/** What the new user thinks of some movies, by their MovieLens ids. */
const FIRST_RATINGS = { 1214: 5, 1200: 5, 541: 5, 1240: 4.5, 1721: 1 };
/** An item that others are asked to be like: The Matrix. */
const LIKED = '2571';
/** And then of the first one that is recommended. */
const LATER_VALUE = 1;

class Demo {
  readonly #connection: Connection;
  readonly #titles: Titles;
  readonly #output = new Output(false);

  constructor(connection: Connection, titles: Titles) {
    this.#connection = connection;
    this.#titles = titles;
  }

  async run(): Promise<void> {
    this.#heading(
      'It learns MovieLens latest-small in the order of time; each rating is predicted before it is learned',
    );
    const options = { path: RATINGS, sort: 'time', batch: 500, onError: 'stop' } as const;
    printSummary(await new Import(this.#connection, options, createProgress(this.#output)).run(), this.#output);

    this.#heading(`A new user, "${USER}", rates some movies, and asks the model "${TASTE}" for more`);
    const before = await this.#recommendAfter(await this.#rate(FIRST_RATINGS));
    this.#table(recommendationTable(before, this.#titles));

    this.#heading('It does not like the first of these; the list has followed by the time the call returns');
    const revision = await this.#rate({ [before.items[0].itemId]: LATER_VALUE });
    const after = await this.#recommendAfter(revision);
    this.#table(withMoves(recommendationTable(after, this.#titles), before));

    this.#heading('Whoever asks for that revision sees the rating: here another client, over a connection of its own');
    const other = new Connection(this.#connection.address, TIMEOUT_MS);
    const { items, revision: seen } = await recommend(other, revision);
    other.close();
    const same = items.every(({ itemId }, n) => itemId === after.items[n].itemId);
    this.#output.line(`min_revision ${revision}, answered as of ${seen}: ${same ? 'the same list' : 'another list'}`);

    this.#heading('The catalogue: what is told of items can be asked for at once. Comedies since 1990');
    const catalogue = { path: MOVIES, batch: 1000, onError: 'stop' } as const;
    const { created, updated } = await new ItemImport(this.#connection, catalogue, createProgress(this.#output)).run();
    this.#output.line(`${formatCount(created + updated)} movies told of\n`);
    const filter = 'categories:"Comedy" AND attributes.year >= 1990';
    this.#table(recommendationTable(await this.#ask({ filter, minRevision: revision }), this.#titles));

    this.#heading(`More like "${this.#titles.get(LIKED)}", and not all alike`);
    const like = { subject: { $case: 'itemId', value: LIKED }, diversity: 0.3 } as const;
    this.#table(recommendationTable(await this.#ask(like), this.#titles));

    this.#heading('How well the models did, over everything that they learned');
    this.#table(metricTable((await fetchReport(this.#connection, {})).rows));
  }

  /** Returns the revision that holds the ratings. */
  async #rate(values: Readonly<Record<string, number>>): Promise<string> {
    for (const [itemId, value] of Object.entries(values))
      this.#output.line(`  ${value.toFixed(1)}  ${this.#titles.get(itemId)}`);
    const ratings = Object.entries(values).map(([itemId, value]) => ({ userId: USER, itemId, value }));
    const request = RateRequest.fromPartial({ requestId: randomUUID(), ratings });
    const { revision } = await this.#connection.call(RecommenderServiceService.rate, request);
    this.#output.line(`learned at revision ${revision}\n`);
    return revision;
  }

  #recommendAfter(revision: string): Promise<RecommendResponse> {
    return recommend(this.#connection, revision);
  }

  #ask(more: Partial<RecommendRequest>): Promise<RecommendResponse> {
    return ask(this.#connection, more);
  }

  /** Aligned also where there is no terminal: it is to be looked at. */
  #table({ columns, rows }: Table): void {
    process.stdout.write(renderTable(columns, rows, process.stdout.isTTY && process.stdout.hasColors()));
  }

  #heading(text: string): void {
    this.#output.line(`\n${styleText('bold', text)}`);
  }
}

function recommend(connection: Connection, minRevision: string): Promise<RecommendResponse> {
  return ask(connection, { minRevision });
}

/** For the new user, unless `more` says otherwise. */
function ask(connection: Connection, more: Partial<RecommendRequest>): Promise<RecommendResponse> {
  const subject = { $case: 'userId', value: USER } as const;
  const request = RecommendRequest.fromPartial({ subject, model: TASTE, pageSize: COUNT, ...more });
  return connection.call(RecommenderServiceService.recommend, request);
}

/** With a column for the place that each item had before. */
function withMoves({ columns, rows }: Table, before: RecommendResponse): Table {
  const places = before.items.map(({ itemId }) => itemId);
  const move = (itemId: string, place: number) => {
    const earlier = places.indexOf(itemId);
    if (earlier < 0) return 'new';
    if (earlier === place) return '';
    return earlier > place ? `up ${earlier - place}` : `down ${place - earlier}`;
  };
  return { columns: [...columns, { name: 'moved' }], rows: rows.map((row, place) => [...row, move(row[1], place)]) };
}

await runDemo({
  models: MODELS,
  next: 'Now yours: `npm start`, and `npx accrete --help`.',
  run: async (connection) => new Demo(connection, await readTitles(MOVIES)).run(),
});
