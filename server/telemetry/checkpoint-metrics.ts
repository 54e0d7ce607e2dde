import type { Counter, Histogram, Meter } from '@opentelemetry/api';
import type { Saved } from '../store/checkpoints/save.ts';

/** What is measured of checkpoints. */
export class CheckpointMetrics {
  readonly #durations: Histogram;
  readonly #results: Counter;

  /** `latest`: the checkpoint that a start would begin from now. */
  constructor(meter: Meter, latest: () => Saved | undefined) {
    this.#durations = meter.createHistogram('accrete_checkpoint_duration', {
      description: 'How long checkpoints took to write.',
      unit: 's',
      advice: { explicitBucketBoundaries: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300] },
    });
    this.#results = meter.createCounter('accrete_checkpoints', { description: 'Checkpoints by what became of them.' });
    for (const result of ['saved', 'failed']) this.#results.add(0, { result });
    const gauge = (name: string, description: string, read: (saved: Saved) => number) =>
      meter.createObservableGauge(`accrete_checkpoint_${name}`, { description }).addCallback((result) => {
        const saved = latest();
        if (saved) result.observe(read(saved));
      });
    gauge('bytes', 'Bytes that the latest checkpoint wrote.', ({ bytes }) => bytes);
    gauge('revision', 'The last revision in the latest checkpoint.', ({ revision }) => revision);
    gauge('age_seconds', 'How long ago the latest checkpoint was complete.', ({ createdMs }) =>
      Math.max(0, (Date.now() - createdMs) / 1000),
    );
  }

  saved({ durationMs }: Saved): void {
    this.#durations.record(durationMs / 1000);
    this.#results.add(1, { result: 'saved' });
  }

  failed(): void {
    this.#results.add(1, { result: 'failed' });
  }
}
