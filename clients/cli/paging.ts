/** A page of a list. */
export interface Page<Entry> {
  readonly entries: readonly Entry[];
  /** The token of the next page. Empty: there is none. */
  readonly nextPageToken: string;
}

/** Up to `pagesMax` pages, one after the other, as one. */
export async function collectPages<Entry>(
  fetchPage: (pageToken: string) => Promise<Page<Entry>>,
  { pageToken = '', pagesMax = Number.POSITIVE_INFINITY } = {},
): Promise<{ entries: Entry[]; nextPageToken: string }> {
  const entries: Entry[] = [];
  let nextPageToken = pageToken;
  for (let page = 0; page < pagesMax; page++) {
    const found = await fetchPage(nextPageToken);
    for (const entry of found.entries) entries.push(entry);
    nextPageToken = found.nextPageToken;
    if (nextPageToken === '') break;
  }
  return { entries, nextPageToken };
}

/** What to add to the same command for what is left; undefined if nothing is. */
export function moreAdvice(nextPageToken: string): string | undefined {
  return nextPageToken === '' ? undefined : `there are more: --page-token ${nextPageToken}`;
}
