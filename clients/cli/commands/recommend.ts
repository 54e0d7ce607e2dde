import type { Command } from 'commander';
import {
  RecommenderServiceService,
  RecommendRequest,
  RecommendResponse,
} from '../../../proto/gen/accrete/v1/recommender.ts';
import { formatFigure, type Table } from '../output.ts';
import { parseList, parseNumberOf, withSession } from '../session.ts';
import { readTitles, type Titles } from '../titles.ts';

interface RecommendOptions {
  readonly count: number;
  readonly model?: string;
  readonly candidates?: readonly string[];
  readonly exclude?: readonly string[];
  readonly includeSeen?: boolean;
  readonly minRevision?: string;
  readonly titles?: string;
}

const COUNT_MAX = 10_000;

export function addRecommend(program: Command): void {
  program
    .command('recommend')
    .description('the best items for a user, best first')
    .argument('<user>')
    .option('--count <n>', 'how many', parseNumberOf({ min: 1, max: COUNT_MAX, whole: true }), 10)
    .option('--model <name>', 'who answers (default: the default model)')
    .option('--candidates <ids>', 'rank these items alone, with commas between them', parseList)
    .option('--exclude <ids>', 'leave these items out, with commas between them', parseList)
    .option('--include-seen', 'do not leave out what the user has rated')
    .option('--min-revision <revision>', 'wait until this is learned: read your own writes')
    .option('--titles <file>', 'a csv file with titles of items, such as movies.csv')
    .action((user: string, options: RecommendOptions, command: Command) =>
      withSession(command, async ({ connection, output }) => {
        const titles = options.titles === undefined ? undefined : await readTitles(options.titles);
        const answer = await connection.call(RecommenderServiceService.recommend, requestOf(user, options));
        output.answer(documentOf(answer, titles), () => {
          output.table(recommendationTable(answer, titles));
          output.note(sourceOf(answer));
        });
      }),
    );
}

function requestOf(user: string, options: RecommendOptions): RecommendRequest {
  return RecommendRequest.fromPartial({
    subject: { $case: 'userId', value: user },
    pageSize: options.count,
    model: options.model,
    candidateItemIds: [...(options.candidates ?? [])],
    excludeItemIds: [...(options.exclude ?? [])],
    includeSeen: options.includeSeen,
    minRevision: options.minRevision,
  });
}

/** One row an item; a title where there are some, and what the user would rate it where the model says so. */
export function recommendationTable({ items }: RecommendResponse, titles?: Titles): Table {
  const predicts = items.some(({ predictedValue }) => predictedValue !== undefined);
  const cells = (item: RecommendResponse['items'][number], n: number) => [
    String(n + 1),
    item.itemId,
    ...(titles ? [titles.get(item.itemId) ?? ''] : []),
    formatFigure(item.score),
    ...(predicts ? [formatFigure(item.predictedValue)] : []),
  ];
  return {
    columns: [
      { name: 'rank', align: 'right' },
      { name: 'item' },
      ...(titles ? [{ name: 'title' }] : []),
      { name: 'score', align: 'right' as const },
      ...(predicts ? [{ name: 'predicted', align: 'right' as const }] : []),
    ],
    rows: items.map(cells),
  };
}

function sourceOf({ model, modelVersion, revision, fallbackReason }: RecommendResponse): string {
  const why = fallbackReason === '' ? '' : ` instead of the model that was asked (${fallbackReason})`;
  return `by ${model} ${modelVersion}${why}, as of revision ${revision}`;
}

function documentOf(answer: RecommendResponse, titles: Titles | undefined): unknown {
  const document = RecommendResponse.toJSON(answer) as { items?: { itemId: string; title?: string }[] };
  for (const item of document.items ?? []) item.title = titles?.get(item.itemId);
  return document;
}
