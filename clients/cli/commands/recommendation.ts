import type { Command } from 'commander';
import {
  RecommenderServiceService,
  RecommendRequest,
  RecommendResponse,
} from '../../../proto/gen/accrete/v1/recommender.ts';
import type { Connection } from '../connection.ts';
import { formatFigure, type Output, type Table } from '../output.ts';
import { collectPages, moreAdvice } from '../paging.ts';
import { parseList, parseNumberOf } from '../session.ts';
import { readTitles, type Titles } from '../titles.ts';

/** What recommendations have in common: for one, and for many. */
export interface RecommendOptions {
  readonly count?: number;
  readonly model?: string;
  readonly candidates?: readonly string[];
  readonly exclude?: readonly string[];
  readonly includeSeen?: boolean;
  readonly filter?: string;
  readonly diversity?: number;
  readonly explain?: boolean;
  readonly scenario?: string;
  readonly context?: Readonly<Record<string, string>>;
  readonly minRevision?: string;
}

export interface PagedOptions extends RecommendOptions {
  readonly pages: number;
  readonly pageToken?: string;
  readonly titles?: string;
}

const COUNT_MAX = 10_000;
const PAGES_MAX = 1000;
/** Parts of a score that are told in a table. */
const CONTRIBUTIONS_MAX = 3;

/** Adds the options of all recommendations. */
export function addRecommendOptions(command: Command): Command {
  return command
    .option(
      '--count <n>',
      'how many (default: as the scenario says, else 10)',
      parseNumberOf({ min: 1, max: COUNT_MAX, whole: true }),
    )
    .option('--model <name>', 'who answers (default: as the scenario says, else the default model)')
    .option('--candidates <ids>', 'rank these items alone, with commas between them', parseList)
    .option('--exclude <ids>', 'leave these items out, with commas between them', parseList)
    .option('--include-seen', 'do not leave out what the user has rated')
    .option('--filter <filter>', `such as 'categories:"drama" AND attributes.year >= 1990'`)
    .option('--diversity <share>', 'how much the items should differ, from 0 to 1', parseNumberOf({ min: 0, max: 1 }))
    .option('--explain', 'tell where each score comes from')
    .option('--scenario <name>', 'a bundle of defaults; see accrete scenarios')
    .option('--context <key=value>', 'what is known of the request; may be given again', parseContext)
    .option('--min-revision <revision>', 'wait until this is learned: read your own writes');
}

/** Adds the options of those that show pages. */
export function addPagedOptions(command: Command): Command {
  return addRecommendOptions(command)
    .option('--pages <n>', 'so many pages, each of --count', parseNumberOf({ min: 1, max: PAGES_MAX, whole: true }), 1)
    .option('--page-token <token>', 'the page after this one')
    .option('--titles <file>', 'a csv file with titles of items, such as movies.csv');
}

/** The fields of a request that the options set. */
export function fieldsOf(options: RecommendOptions) {
  return {
    pageSize: options.count,
    model: options.model,
    candidateItemIds: [...(options.candidates ?? [])],
    excludeItemIds: [...(options.exclude ?? [])],
    includeSeen: options.includeSeen,
    filter: options.filter,
    diversity: options.diversity,
    explain: options.explain,
    scenario: options.scenario,
    context: { ...options.context },
    minRevision: options.minRevision,
  };
}

/** Asks for the pages that the options name, and prints them as one list. */
export async function recommend(
  subject: NonNullable<RecommendRequest['subject']>,
  options: PagedOptions,
  { connection, output }: { readonly connection: Connection; readonly output: Output },
): Promise<void> {
  const titles = options.titles === undefined ? undefined : await readTitles(options.titles);
  let last: RecommendResponse | undefined;
  const fetchPage = async (pageToken: string) => {
    const request = RecommendRequest.fromPartial({ ...fieldsOf(options), subject, pageToken });
    last = await connection.call(RecommenderServiceService.recommend, request);
    return { entries: last.items, nextPageToken: last.nextPageToken };
  };
  const { entries } = await collectPages(fetchPage, { pageToken: options.pageToken, pagesMax: options.pages });
  const answer = RecommendResponse.create({ ...last, items: entries });
  output.answer(documentOf(answer, titles), () => {
    output.table(recommendationTable(answer, titles));
    output.note(sourceOf(answer));
    const more = moreAdvice(answer.nextPageToken);
    if (more) output.note(more);
  });
}

type RecommendedItem = RecommendResponse['items'][number];

/** One row an item; a title, an expected rating and reasons where there are some. */
export function recommendationTable({ items }: RecommendResponse, titles?: Titles): Table {
  const predicts = items.some(({ predictedValue }) => predictedValue !== undefined);
  const explains = items.some(({ explanation }) => explanation !== undefined);
  const cells = (item: RecommendedItem, n: number) => [
    String(n + 1),
    item.itemId,
    ...(titles ? [titles.get(item.itemId) ?? ''] : []),
    formatFigure(item.score),
    ...(predicts ? [formatFigure(item.predictedValue)] : []),
    ...(explains ? [reasonsOf(item)] : []),
  ];
  return {
    columns: [
      { name: 'rank', align: 'right' },
      { name: 'item' },
      ...(titles ? [{ name: 'title' }] : []),
      { name: 'score', align: 'right' as const },
      ...(predicts ? [{ name: 'predicted', align: 'right' as const }] : []),
      ...(explains ? [{ name: 'because' }] : []),
    ],
    rows: items.map(cells),
  };
}

/** `stalker +0.4312, item_bias +0.2101, mean -0.0200; not without stalker` */
function reasonsOf({ explanation }: RecommendedItem): string {
  if (!explanation) return '';
  const { contributions, counterfactualItemIds } = explanation;
  const told = contributions.slice(0, CONTRIBUTIONS_MAX).map(({ source, value }) => {
    const sign = value < 0 ? '' : '+';
    return `${source?.value ?? ''} ${sign}${formatFigure(value)}`;
  });
  if (contributions.length > told.length) told.push(`${contributions.length - told.length} more`);
  const needed = counterfactualItemIds.length > 0 ? `; not without ${counterfactualItemIds.join(', ')}` : '';
  return told.join(', ') + needed;
}

function sourceOf({ model, modelVersion, revision, arm, fallbackReason }: RecommendResponse): string {
  const why = fallbackReason === '' ? '' : ` instead of the model that was asked (${fallbackReason})`;
  return `by ${model} ${modelVersion}${why}${arm === '' ? '' : ` as ${arm}`}, as of revision ${revision}`;
}

function documentOf(answer: RecommendResponse, titles: Titles | undefined): unknown {
  const document = RecommendResponse.toJSON(answer) as { items?: { itemId: string; title?: string }[] };
  for (const item of document.items ?? []) item.title = titles?.get(item.itemId);
  return document;
}

function parseContext(text: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const at = text.indexOf('=');
  return { ...before, [at < 0 ? text : text.slice(0, at)]: at < 0 ? '' : text.slice(at + 1) };
}
