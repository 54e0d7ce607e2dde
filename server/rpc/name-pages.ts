import { findPagePosition, isText, makePageToken, WRONG_TOKEN } from '../serving/page-token.ts';
import { Fields } from './fields.ts';
import type { Limits } from './limits.ts';

const PAGE_SIZE = 100;

export interface NamePage<Entry> {
  readonly entries: readonly Entry[];
  /** "" after the last page. */
  readonly nextPageToken: string;
}

interface PageRequest {
  readonly pageSize: number;
  readonly pageToken: string;
}

/** One page of what has names, by name; `call` tells its tokens from those of other calls. Throws INVALID_FIELD. */
export function pageByName<Entry>(
  call: string,
  all: ReadonlyMap<string, Entry>,
  request: PageRequest,
  limits: Limits,
): NamePage<Entry> {
  const names = [...all.keys()].sort();
  // The name before may be gone by now.
  const follows = (before: string) => names.filter((name) => name <= before).length;
  return pageOf(call, all, names, follows, request, limits);
}

/** The same, the latest first: `all` is in the order in which they were made. */
export function pageLatestFirst<Entry>(
  call: string,
  all: ReadonlyMap<string, Entry>,
  request: PageRequest,
  limits: Limits,
): NamePage<Entry> {
  const names = [...all.keys()].reverse();
  return pageOf(call, all, names, (before) => names.indexOf(before) + 1 || undefined, request, limits);
}

/** `follows`: at which place of the names a page begins, by the last name of the page before. */
function pageOf<Entry>(
  call: string,
  all: ReadonlyMap<string, Entry>,
  names: readonly string[],
  follows: (before: string) => number | undefined,
  { pageSize, pageToken }: PageRequest,
  limits: Limits,
): NamePage<Entry> {
  const fields = new Fields();
  const size = fields.pageSize(pageSize, PAGE_SIZE, limits.pageSize);
  const before = pageToken === '' ? '' : findPagePosition([call], pageToken, isText);
  const at = pageToken === '' ? 0 : before === undefined ? undefined : follows(String(before));
  if (at === undefined) fields.refuse('page_token', WRONG_TOKEN);
  fields.check();
  const rest = names.slice(at);
  const page = rest.slice(0, size);
  return {
    entries: page.map((name) => all.get(name) as Entry),
    nextPageToken: rest.length > size ? makePageToken([call], page[size - 1]) : '',
  };
}
