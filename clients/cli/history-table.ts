import { FuseStrategy } from '../../proto/gen/accrete/v1/fuse.ts';
import {
  type ModelChange,
  ModelChangeKind,
  ModelChangeOutcome,
  ModelChangeRequester,
} from '../../proto/gen/accrete/v1/history.ts';
import { formatCount, formatDate, formatFigure, type Table, wordOf } from './output.ts';

/** What was done with a model, and what was tried, the latest first. */
export function historyTable(history: readonly ModelChange[]): Table {
  return {
    columns: [
      { name: 'when' },
      { name: 'change' },
      { name: 'asked by' },
      { name: 'outcome' },
      { name: 'from' },
      { name: 'to' },
      { name: 'learned', align: 'right' },
      { name: 'metric' },
      { name: 'before', align: 'right' },
      { name: 'after', align: 'right' },
      { name: 'difference', align: 'right' },
      { name: 'reason' },
    ],
    rows: history.map((change) => [
      formatDate(change.time),
      changeOf(change),
      wordOf(ModelChangeRequester, change.requester),
      wordOf(ModelChangeOutcome, change.outcome),
      change.previousVersion,
      change.version,
      formatCount(change.learnedCount),
      change.before?.metric ?? '',
      formatFigure(change.before?.value),
      formatFigure(change.after?.value),
      differenceOf(change),
      change.reason,
    ]),
  };
}

/** With its strategy and what went into it, or the settings that are others. */
function changeOf({ kind, strategy, sources, settings }: ModelChange): string {
  const how = strategy === FuseStrategy.FUSE_STRATEGY_UNSPECIFIED ? [] : [wordOf(FuseStrategy, strategy), ...sources];
  const changed = Object.entries(settings ?? {}).map(([path, value]) => `${path}=${JSON.stringify(value)}`);
  return [wordOf(ModelChangeKind, kind), ...how, ...changed].join(' ');
}

function differenceOf({ decision }: ModelChange): string {
  const { metric, value, lower, upper } = decision?.difference ?? {};
  if (value === undefined) return '';
  const range = lower === undefined || upper === undefined ? '' : ` (${formatFigure(lower)} to ${formatFigure(upper)})`;
  return `${metric} ${formatFigure(value)}${range}`;
}
