import type { JournalLink } from './journal.ts';
import { LinkPages } from './link-pages.ts';
import { decodeRecord } from './record.ts';

/** How much of a journal is kept at least, and how long; 0 sets no bound, and without any all is kept. */
export interface Keep {
  readonly bytes: number;
  readonly ms: number;
}

/**
 * The revision before which links may be dropped: they are beyond each bound, and checkpoints cover them up to revision
 * `covered`. `links`: all of a journal, in order; the last one always stays. `receivedMs`: of the last record of a link.
 */
export function firstKept(
  links: readonly JournalLink[],
  keep: Keep,
  covered: number,
  nowMs: number,
  receivedMs: (link: JournalLink) => number = lastReceivedMs,
): number {
  if (keep.bytes === 0 && keep.ms === 0) return links.at(0)?.first ?? 1;
  let rest = links.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const link of links.slice(0, -1)) {
    rest -= link.bytes;
    const isBeyond = rest >= keep.bytes && (keep.ms === 0 || nowMs - receivedMs(link) > keep.ms);
    if (!isBeyond || link.last > covered) return link.first;
  }
  return links.at(-1)?.first ?? 1;
}

function lastReceivedMs({ path, last }: JournalLink): number {
  const pages = new LinkPages(path);
  try {
    const leaf = pages.find(last);
    // What cannot be read is not dropped either: whoever looks for it finds it damaged.
    return leaf ? decodeRecord(leaf.record(0), last).receivedAtMs : Number.POSITIVE_INFINITY;
  } finally {
    pages.close();
  }
}
