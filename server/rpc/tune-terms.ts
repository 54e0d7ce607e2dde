import type { TuneModelRequest } from '../../proto/gen/accrete/v1/tuning.ts';
import { requireLoss } from '../jobs/fuse/window-figures.ts';
import { EVENTS_MIN } from '../jobs/tune/halving.ts';
import { Fields } from './fields.ts';
import { type AskedGuard, guardOf } from './guard-terms.ts';

/** What is asked of a search for settings, checked as far as that can be without looking at the model. */
export interface TuneTerms {
  readonly candidates: number;
  readonly windowEvents: number;
  readonly metric: string;
  readonly guard: AskedGuard;
}

const CANDIDATES = { max: 256, default: 32 };
const WINDOW = { min: EVENTS_MIN, max: 1_000_000, default: 100_000 };

/** Throws INVALID_FIELD. */
export function tuneTermsOf({ candidates, windowEvents, metric, guard }: TuneModelRequest): TuneTerms {
  const fields = new Fields();
  if (candidates < 0 || candidates > CANDIDATES.max)
    fields.refuse('candidates', `is ${candidates}: send 1 to ${CANDIDATES.max}, or 0 for ${CANDIDATES.default}`);
  if (windowEvents !== 0 && (windowEvents < WINDOW.min || windowEvents > WINDOW.max))
    fields.refuse(
      'window_events',
      `is ${windowEvents}: send ${WINDOW.min} to ${WINDOW.max}, or 0 for ${WINDOW.default}`,
    );
  const asked = guardOf(guard, 0, fields);
  fields.check();
  const { metric: wanted } = requireLoss(metric, 'metric');
  const guarding = asked.metric || wanted.name;
  requireLoss(guarding);
  return {
    candidates: candidates || CANDIDATES.default,
    windowEvents: windowEvents || WINDOW.default,
    metric: wanted.name,
    guard: { ...asked, metric: guarding },
  };
}
