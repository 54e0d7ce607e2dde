import { CatalogServiceService, Item, UpsertItemsRequest } from '../../../proto/gen/accrete/v1/catalog.ts';
import type { Connection } from '../connection.ts';
import { Failure, type Fault } from '../failure.ts';
import { formatCount } from '../output.ts';
import type { Progress } from '../progress.ts';
import { itemForm } from './item-form.ts';
import type { FileItem } from './item-row.ts';
import { openRows } from './row-file.ts';
import { Skips, withAdvice } from './skips.ts';

export interface ItemImportOptions {
  /** A file, or `-` for standard input. */
  readonly path: string;
  /** Names of columns and attributes; absent: the file has a header. */
  readonly columns?: readonly string[];
  /** Items in a message. */
  readonly batch: number;
  /** What a line that is no item, or that the server refuses, does to the import. */
  readonly onError: 'stop' | 'skip';
  /** The fields to replace, as in `labels,attributes`; absent: all. */
  readonly update?: readonly string[];
}

/** What became of an import. */
export interface ItemImportSummary {
  /** Items that were not known before, and those that were. */
  readonly created: number;
  readonly updated: number;
  readonly skipped: number;
  /** The first of the skipped lines. */
  readonly skippedLines: readonly Fault[];
  readonly seconds: number;
  /** The last one; "" if nothing was sent. */
  readonly revision: string;
}

/** A server takes 4 MiB unless it is configured otherwise. */
const MESSAGE_BYTES_MAX = 1024 * 1024;

/** Items that are sent together. */
class ItemBatch {
  readonly items: FileItem[] = [];
  readonly #ids = new Set<string>();
  #bytes = 0;

  /** Whether the item has to wait for the next one: it is full, or has an item of that id. */
  isClosedTo({ item }: FileItem, sizeMax: number): boolean {
    return this.items.length >= sizeMax || this.#bytes >= MESSAGE_BYTES_MAX || this.#ids.has(item.itemId);
  }

  add(item: FileItem): void {
    this.items.push(item);
    this.#ids.add(item.item.itemId);
    this.#bytes += Item.encode(item.item).finish().length;
  }
}

/** Sends a file of items, batch by batch. Sending it again is safe: it says how the items shall be. */
export class ItemImport {
  readonly #connection: Connection;
  readonly #options: ItemImportOptions;
  readonly #progress: Progress;
  readonly #startMs = performance.now();
  readonly #skips: Skips;
  #created = 0;
  #updated = 0;
  #revision = '';

  constructor(connection: Connection, options: ItemImportOptions, progress: Progress) {
    this.#connection = connection;
    this.#options = options;
    this.#progress = progress;
    this.#skips = new Skips(options.path, options.onError);
  }

  /** Resolves when the whole file is answered. Rejects with Failure, which says how to go on. */
  async run(): Promise<ItemImportSummary> {
    try {
      await this.#send();
      return this.summary;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const sent = this.#created + this.#updated;
      throw withAdvice(error, sent > 0 ? `${formatCount(sent)} items are taken; sending them again is safe` : '');
    } finally {
      this.#progress.stop();
    }
  }

  /** What became of it until now. */
  get summary(): ItemImportSummary {
    return {
      created: this.#created,
      updated: this.#updated,
      ...this.#skips.summary,
      seconds: (performance.now() - this.#startMs) / 1000,
      revision: this.#revision,
    };
  }

  async #send(): Promise<void> {
    const { path, columns, batch: sizeMax } = this.#options;
    const { rows: file, total } = await openRows(path, itemForm(columns));
    let batch = new ItemBatch();
    for await (const { rows, position } of file) {
      for (const row of rows) {
        if ('problem' in row) this.#skips.passOver(row);
        else {
          if (batch.isClosedTo(row, sizeMax)) {
            await this.#sendBatch(batch.items);
            batch = new ItemBatch();
          }
          batch.add(row);
        }
      }
      const { created, updated, seconds } = this.summary;
      this.#progress.update({ unit: 'items', done: created + updated, position, total, seconds });
    }
    await this.#sendBatch(batch.items);
  }

  /** What the server refuses is left out, and the rest is sent again. */
  async #sendBatch(items: readonly FileItem[]): Promise<void> {
    if (items.length === 0) return;
    const { update } = this.#options;
    const request = { items: items.map(({ item }) => item), updateMask: update && [...update], validateOnly: false };
    try {
      const answer = await this.#connection.call(CatalogServiceService.upsertItems, UpsertItemsRequest.create(request));
      this.#created += answer.createdCount;
      this.#updated += answer.updatedCount;
      this.#revision = answer.revision;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      await this.#sendBatch(this.#skips.refuse(error, items, 'items'));
    }
  }
}
