import type { MessagePort } from 'node:worker_threads';
import type { Config } from '../config/schema.ts';
import type { PlainError } from '../errors.ts';
import type { Removal, Traced } from '../exchange/forgetting.ts';
import type { TableSize } from '../store/models/model-file.ts';
import type { DeviceTraits } from '../tensor/remote-device.ts';
import type { CandidateStep } from './candidate.ts';
import type { CheckTask } from './check-journal.ts';
import type { CheckpointItem, CheckpointTask } from './checkpoint.ts';
import type { EvaluationResult, EvaluationTask } from './evaluation/evaluate.ts';
import type { OffPolicyResult, OffPolicyTask } from './evaluation/off-policy.ts';
import type { ExportChunk, ExportTask } from './export.ts';
import type { ExportCheckpointTask } from './export-checkpoint.ts';
import type { ExportModelTask } from './export-model.ts';
import type { PurgeTask } from './forget/purge-task.ts';
import type { TraceTask } from './forget/trace.ts';
import type { CompareTask } from './fuse/compare.ts';
import type { FuseStep } from './fuse/contest.ts';
import type { FuseTask } from './fuse/fuse.ts';
import type { ImportModelTask } from './import-model.ts';
import type { JobSettings } from './job-context.ts';
import type { KeepTask } from './keep.ts';
import type { LoadItem, LoadTask } from './load.ts';
import type { JobProgress } from './meter.ts';
import type { RollbackTask } from './rollback.ts';
import type { FileItem } from './send-file.ts';
import type { Searched, SearchTask, Standing } from './tune/search.ts';
import type { ShadowTask } from './tune/shadow.ts';

/** Every kind of work beside the stream: what it is told at its start, and what it makes, item by item. */
export interface JobKinds {
  check: { readonly task: CheckTask; readonly item: number };
  checkpoint: { readonly task: CheckpointTask; readonly item: CheckpointItem };
  compare: { readonly task: CompareTask; readonly item: FuseStep };
  evaluate: { readonly task: EvaluationTask; readonly item: EvaluationResult };
  evaluateOffPolicy: { readonly task: OffPolicyTask; readonly item: OffPolicyResult };
  export: { readonly task: ExportTask; readonly item: ExportChunk };
  exportCheckpoint: { readonly task: ExportCheckpointTask; readonly item: FileItem };
  exportModel: { readonly task: ExportModelTask; readonly item: FileItem };
  fuse: { readonly task: FuseTask; readonly item: FuseStep };
  importModel: { readonly task: ImportModelTask; readonly item: readonly TableSize[] };
  keep: { readonly task: KeepTask; readonly item: 'kept' };
  purge: { readonly task: PurgeTask; readonly item: readonly (readonly Removal[])[] };
  trace: { readonly task: TraceTask; readonly item: Traced };
  load: { readonly task: LoadTask; readonly item: LoadItem };
  rollback: { readonly task: RollbackTask; readonly item: CandidateStep };
  search: { readonly task: SearchTask; readonly item: Standing | Searched };
  shadow: { readonly task: ShadowTask; readonly item: FuseStep };
}

export type JobKind = keyof JobKinds;

/** What a job's thread starts with. */
export interface JobStart<Kind extends JobKind = JobKind> {
  readonly kind: Kind;
  readonly task: JobKinds[Kind]['task'];
  readonly config: Config;
  /** What the journal decided; the configuration may say otherwise. */
  readonly settings: JobSettings;
  /** The memory that all threads share. */
  readonly memory: WebAssembly.Memory;
  readonly device: JobDevice;
}

/** The device as a job's thread gets it: without a port it is `cpu`. */
export interface JobDevice {
  readonly traits: DeviceTraits;
  readonly port: MessagePort | undefined;
  /** Of a `DeviceMeter`. */
  readonly meter: SharedArrayBuffer;
}

/** From the job's thread. An item comes only when it was asked for; the others come by themselves, now and then. */
export type JobNews<Item> =
  | { readonly type: 'warning'; readonly what: string }
  | { readonly type: 'progress'; readonly progress: JobProgress }
  | { readonly type: 'item'; readonly item: Item }
  | { readonly type: 'done' }
  | { readonly type: 'failed'; readonly error: PlainError; readonly stack: string };

/** To the job's thread: make the next item. */
export type JobAsk = 'next';

/** What a consumer sees of a job. */
export type JobStep<Item> =
  | { readonly type: 'progress'; readonly progress: JobProgress }
  | { readonly type: 'item'; readonly item: Item };
