import { findPagePosition, isText, makePageToken, WRONG_TOKEN } from '../serving/page-token.ts';
import { Fields } from './fields.ts';
import type { Limits } from './limits.ts';

const PAGE_SIZE = 100;

export interface NamePage<Entry> {
  readonly entries: readonly Entry[];
  /** "" after the last page. */
  readonly nextPageToken: string;
}

/** One page of what has names, by name; `call` tells its tokens from those of other calls. Throws INVALID_FIELD. */
export function pageByName<Entry>(
  call: string,
  all: ReadonlyMap<string, Entry>,
  { pageSize, pageToken }: { readonly pageSize: number; readonly pageToken: string },
  limits: Limits,
): NamePage<Entry> {
  const fields = new Fields();
  const size = fields.pageSize(pageSize, PAGE_SIZE, limits.pageSize);
  const after = pageToken === '' ? '' : findPagePosition([call], pageToken, isText);
  if (after === undefined) fields.refuse('page_token', WRONG_TOKEN);
  fields.check();
  const rest = [...all.keys()].sort().filter((name) => name > String(after));
  const page = rest.slice(0, size);
  return {
    entries: page.map((name) => all.get(name) as Entry),
    nextPageToken: rest.length > size ? makePageToken([call], page[size - 1]) : '',
  };
}

/** The same, the latest first: `all` is in the order in which they were made. */
export function pageLatestFirst<Entry>(
  call: string,
  all: ReadonlyMap<string, Entry>,
  { pageSize, pageToken }: { readonly pageSize: number; readonly pageToken: string },
  limits: Limits,
): NamePage<Entry> {
  const fields = new Fields();
  const size = fields.pageSize(pageSize, PAGE_SIZE, limits.pageSize);
  const after = pageToken === '' ? '' : findPagePosition([call], pageToken, isText);
  const names = [...all.keys()].reverse();
  const at = pageToken === '' ? -1 : names.indexOf(String(after));
  if (pageToken !== '' && at < 0) fields.refuse('page_token', WRONG_TOKEN);
  fields.check();
  const page = names.slice(at + 1, at + 1 + size);
  const isLast = at + 1 + size >= names.length;
  return {
    entries: page.map((name) => all.get(name) as Entry),
    nextPageToken: isLast ? '' : makePageToken([call], page[page.length - 1]),
  };
}
