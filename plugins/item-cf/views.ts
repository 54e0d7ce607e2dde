import type { Address, Memory, Table, WritableAddress } from '../contract/index.ts';
import type { ItemCfKernels } from './kernels.ts';

/** Tells kernels where tables are: words at an address, in the order that `kernels.as.ts` names them. */

export interface View {
  readonly address: Address;
  /** To be called before kernels are given the view: rows may have been made since. */
  refresh(): void;
}

interface Context {
  readonly memory: Memory;
  readonly kernels: ItemCfKernels;
  scratch(bytes: number): WritableAddress;
}

type AnyTable = Pick<Table, 'rows' | 'stride' | 'segmentRows' | 'directory'> & {
  column(name: string): (row: number) => Address;
};

/** The word of a table's part that says how many rows it has. */
const ROWS = 4;

/** Each part is a table, the columns whose places kernels are told, and words of its own. */
export function viewOf(
  { memory, kernels, scratch }: Context,
  parts: readonly {
    readonly table: AnyTable;
    readonly columns: readonly string[];
    readonly words?: readonly number[];
  }[],
): View {
  const words: number[] = [];
  const counts: { readonly at: number; readonly table: AnyTable }[] = [];
  for (const { table, columns, words: own = [] } of parts) {
    const { directory, segmentRows, stride } = table;
    counts.push({ at: words.length + ROWS, table });
    words.push(directory, 31 - Math.clz32(segmentRows), segmentRows - 1, stride, 0);
    words.push(...columns.map((name) => offsetOf(table, name, memory)), ...own);
  }
  const address = scratch(4 * words.length);
  for (const [at, word] of words.entries()) kernels.put(address, at, word);
  return {
    address,
    refresh() {
      for (const { at, table } of counts) kernels.put(address, at, table.rows);
    },
  };
}

/** Bytes from the start of a row to a column. */
function offsetOf(table: AnyTable, name: string, { u32 }: Memory): number {
  for (;;) {
    // The first segment has address 0 until there is one, which may be at any time.
    const offset = table.column(name)(0) - u32[table.directory >>> 2];
    if (offset >= 0 && offset < table.stride) return offset;
  }
}

type ItemsAndPairs = { readonly items: AnyTable; readonly pairs: AnyTable };

export const itemView = (context: Context, { items, pairs }: ItemsAndPairs): View =>
  viewOf(context, [
    { table: items, columns: ['bias', 'sets', 'pages', 'discount', 'ratings'] },
    { table: pairs, columns: [] },
  ]);

/** `partners`: entries that a row has room for. */
export const transitionsView = (context: Context, table: AnyTable, partners: number): View =>
  viewOf(context, [{ table, columns: ['to', 'weight', 'length', 'scale'], words: [partners] }]);
