import { type Address, eachRun, type Table, type WritableAddress } from '../contract/index.ts';

/** The items that are asked for, and where their scores go: `spans`, `spanCount` and `out` of the contract. */
export type Asked = [spans: Uint32Array, spanCount: number, out: WritableAddress];
/** Scores items for whoever has a vector. */
export type Rank = (vector: Address, k: number, asked: Asked) => void;

/** Visits the rows that are asked for in stretches that are contiguous, each with where its scores go. */
export function eachStretch(
  items: Pick<Table, 'segmentRows'>,
  [spans, spanCount, out]: Asked,
  visit: (row: number, count: number, out: WritableAddress) => void,
): void {
  let at = out;
  const visitRun = (row: number, count: number) => {
    visit(row, count, at);
    at = (at + 4 * count) as WritableAddress;
  };
  for (let span = 0; span < spanCount; span++) eachRun(items, spans[2 * span], spans[2 * span + 1], visitRun);
}
