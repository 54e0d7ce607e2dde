import type { TableDescriptor } from '../../memory/table.ts';
import type { Manifest, SavedDecisions, SavedModel } from './manifest.ts';

/** The state at one revision, as the thread that writes it has marked it for another one to save. */
export interface Capture {
  readonly revision: number;
  /** The checkpoint that has what is not marked; undefined: everything is. */
  readonly since: number | undefined;
  readonly decided: SavedDecisions;
  readonly models: readonly SavedModel[];
  readonly cohorts?: Manifest['cohorts'];
  readonly tables: Readonly<Record<string, CapturedTable>>;
  /** Tables whose one column is the address of a feature block, or 0. */
  readonly blocks: Readonly<Record<string, CapturedTable>>;
}

export interface CapturedTable {
  readonly descriptor: TableDescriptor;
  readonly rows: number;
}
