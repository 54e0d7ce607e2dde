import type { Meter } from '@opentelemetry/api';
import type { Checked } from '../serving/journal-check.ts';

/** What is measured of the check of the journal. */
export class JournalMetrics {
  constructor(meter: Meter, checked: () => Checked) {
    meter
      .createObservableGauge('accrete_journal_damaged', {
        description: 'Whether damage was found in the journal: 1, and ratings are refused until it is repaired.',
      })
      .addCallback((result) => result.observe(checked().damage ? 1 : 0));
    meter
      .createObservableCounter('accrete_journal_checked_bytes', {
        description: 'Bytes of records that were read beside the stream, to find damage.',
      })
      .addCallback((result) => result.observe(checked().bytes));
    meter
      .createObservableGauge('accrete_journal_check_age_seconds', {
        description: 'How long ago all records had been read; absent until then.',
      })
      .addCallback((result) => {
        const { completeMs } = checked();
        if (completeMs !== undefined) result.observe(Math.max(0, (Date.now() - completeMs) / 1000));
      });
  }
}
