import { FuseStrategy } from '../../proto/gen/accrete/v1/fuse.ts';
import {
  ModelChangeKind,
  ModelChangeOutcome,
  ModelChangeRequester,
  type ModelChange as WireChange,
} from '../../proto/gen/accrete/v1/history.ts';
import type { MetricRow } from '../../proto/gen/accrete/v1/metric.ts';
import { revisionText } from '../memory/revisions.ts';
import type { LoadedModel } from '../store/control.ts';
import type { HistoryEntry, Judgement, Measured } from '../store/history.ts';
import { figureMessage } from './holdout.ts';
import { timestampOf } from './model-message.ts';

const KINDS = {
  fuse: ModelChangeKind.MODEL_CHANGE_KIND_FUSE,
  rollback: ModelChangeKind.MODEL_CHANGE_KIND_ROLLBACK,
  tune: ModelChangeKind.MODEL_CHANGE_KIND_TUNE,
} as const;

const OUTCOMES = {
  promoted: ModelChangeOutcome.MODEL_CHANGE_OUTCOME_PROMOTED,
  refused: ModelChangeOutcome.MODEL_CHANGE_OUTCOME_REFUSED,
  failed: ModelChangeOutcome.MODEL_CHANGE_OUTCOME_FAILED,
  kept: ModelChangeOutcome.MODEL_CHANGE_OUTCOME_KEPT,
} as const;

const REQUESTERS = {
  call: ModelChangeRequester.MODEL_CHANGE_REQUESTER_CALL,
  period: ModelChangeRequester.MODEL_CHANGE_REQUESTER_PERIOD,
} as const;

/** The history of a model on the wire, the latest change first. */
export function historyMessage(decided: LoadedModel | undefined): WireChange[] {
  return (decided?.history ?? []).map(changeMessage).reverse();
}

function changeMessage(entry: HistoryEntry): WireChange {
  const { judgement, outcome } = entry;
  return {
    kind: KINDS[entry.kind],
    requester: REQUESTERS[entry.by],
    outcome: OUTCOMES[outcome],
    time: timestampOf(entry.atMs),
    revision: revisionText(entry.revision),
    strategy: strategyOf(entry.strategy),
    sources: [...entry.sources],
    learnedCount: BigInt(entry.learned),
    previousVersion: entry.previous,
    version: outcome === 'promoted' ? entry.version : '',
    before: rowOf(judgement?.before),
    after: rowOf(judgement?.after),
    decision: judgement && decisionOf(judgement, entry.reason),
    reason: entry.reason,
    settings: entry.settings && { ...entry.settings },
  };
}

function decisionOf({ passed, difference, margin, marginLeft }: Judgement, reason: string): WireChange['decision'] {
  const row = { ...rowMessage(difference), baseline: difference.baseline };
  return { passed, reason, difference: row, margin, marginLeft };
}

function rowOf(measured: Measured | undefined): MetricRow | undefined {
  return measured && rowMessage(measured);
}

function rowMessage(measured: Measured): MetricRow {
  return figureMessage({ ...measured, interval: measured.interval, segment: '' });
}

/** Of a record that a later version of the server wrote, a strategy may be unknown. */
function strategyOf(name: string): FuseStrategy {
  const wire = `FUSE_STRATEGY_${name.toUpperCase()}`;
  return wire in FuseStrategy
    ? FuseStrategy[wire as keyof typeof FuseStrategy]
    : FuseStrategy.FUSE_STRATEGY_UNSPECIFIED;
}
