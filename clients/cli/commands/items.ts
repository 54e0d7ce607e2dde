import type { Command } from 'commander';
import {
  CatalogServiceService,
  DeleteItemsRequest,
  DeleteItemsResponse,
  GetItemRequest,
  GetItemResponse,
  type Item,
  ListItemsRequest,
  ListItemsResponse,
} from '../../../proto/gen/accrete/v1/catalog.ts';
import { formatIso } from '../import/time.ts';
import { factTable, formatCount, type Table } from '../output.ts';
import { collectPages, moreAdvice } from '../paging.ts';
import { parseNumberOf, withSession } from '../session.ts';

const PAGE_MAX = 1000;
const COUNT_MAX = 1_000_000;

const EXAMPLES = `
Examples:
  accrete items --filter 'categories:"drama" AND attributes.year >= 1990'
  accrete items get solaris
  accrete items delete solaris stalker
  accrete import --items movies.csv
`;

interface ListOptions {
  readonly filter?: string;
  readonly count: number;
  readonly pageToken?: string;
}

export function addItems(program: Command): void {
  const items = program.command('items').description('what is known of items').addHelpText('after', EXAMPLES);
  items
    .command('list', { isDefault: true })
    .description('items in the order in which they became known')
    .option('--filter <filter>', `such as 'categories:"drama" AND attributes.year >= 1990'`)
    .option('--count <n>', 'how many', parseNumberOf({ min: 1, max: COUNT_MAX, whole: true }), 100)
    .option('--page-token <token>', 'those after this page')
    .action((options: ListOptions, command: Command) => list(options, command));
  items
    .command('get')
    .description('what is known of an item')
    .argument('<item>')
    .action((item: string, _options: unknown, command: Command) => get(item, command));
  items
    .command('delete')
    .description('delete items: they are not recommended again until they are imported again')
    .argument('<items...>')
    .option('--dry-run', 'tell how many there are, and delete nothing')
    .action((itemIds: string[], { dryRun }: { dryRun?: boolean }, command: Command) =>
      withSession(command, async ({ connection, output }) => {
        const request = DeleteItemsRequest.fromPartial({ itemIds, validateOnly: dryRun });
        const answer = await connection.call(CatalogServiceService.deleteItems, request);
        output.answer(DeleteItemsResponse.toJSON(answer), () =>
          output.line(
            `${formatCount(answer.deletedCount)} items ${dryRun ? 'would be' : 'are'} deleted${answer.revision === '' ? '' : `, as of revision ${answer.revision}`}`,
          ),
        );
      }),
    );
}

function list({ filter, count, pageToken }: ListOptions, command: Command): Promise<void> {
  return withSession(command, async ({ connection, output }) => {
    const pagesMax = Math.ceil(count / PAGE_MAX);
    const pageSize = Math.ceil(count / pagesMax);
    const fetchPage = async (pageToken: string) => {
      const request = ListItemsRequest.fromPartial({ pageSize, filter, pageToken });
      const page = await connection.call(CatalogServiceService.listItems, request);
      return { entries: page.items, nextPageToken: page.nextPageToken };
    };
    const { entries: items, nextPageToken } = await collectPages(fetchPage, { pageToken, pagesMax });
    output.answer(ListItemsResponse.toJSON({ items, nextPageToken }), () => {
      output.table(itemTable(items));
      const more = moreAdvice(nextPageToken);
      if (more) output.note(more);
    });
  });
}

function get(itemId: string, command: Command): Promise<void> {
  return withSession(command, async ({ connection, output }) => {
    const answer = await connection.call(CatalogServiceService.getItem, GetItemRequest.fromPartial({ itemId }));
    output.answer(GetItemResponse.toJSON(answer), () => {
      const { item, ratingCount, revision } = answer;
      const facts = item ? factsOf(item) : [];
      output.table(factTable([...facts, ['ratings', formatCount(ratingCount)], ['revision', revision]]));
    });
  });
}

function itemTable(items: readonly Item[]): Table {
  const names = ['item', 'title', 'categories', 'labels', 'available', 'attributes'];
  return {
    columns: names.map((name) => ({ name })),
    rows: items.map((item) => {
      const facts = new Map(factsOf(item));
      return names.map((name) => facts.get(name) ?? '');
    }),
  };
}

function factsOf(item: Item): [name: string, value: string][] {
  const embeddings = Object.entries(item.embeddings).map(([name, vector]) => `${name} (${vector.values.length})`);
  return [
    ['item', item.itemId],
    ['title', item.title],
    ['categories', item.categories.join(', ')],
    ['labels', item.labels.join(', ')],
    ['available', availabilityOf(item)],
    ['attributes', item.attributes ? JSON.stringify(item.attributes) : ''],
    ['embeddings', embeddings.join(', ')],
  ];
}

/** `yes`, `no`, `from 2026-01-01T00:00:00Z until 2026-02-01T00:00:00Z` */
function availabilityOf({ available, availableFrom, availableUntil }: Item): string {
  if (available === false) return 'no';
  const from = availableFrom ? `from ${formatIso(availableFrom)}` : '';
  const until = availableUntil ? `until ${formatIso(availableUntil)}` : '';
  return [from, until].filter((text) => text !== '').join(' ') || 'yes';
}
