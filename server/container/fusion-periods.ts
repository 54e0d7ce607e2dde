import type { Container } from 'inversify';
import { fuse } from '../rpc/fuse.ts';
import { periodRequest } from '../rpc/fusion-period.ts';
import { FusionPeriods } from '../serving/fusion-periods.ts';
import type { Logger } from '../telemetry/log.ts';
import { PROMOTIONS } from './changing.ts';
import { CALL_TELEMETRY, DIRECTORY, JOBS, METRICS } from './server.ts';
import { SERVING } from './serving.ts';
import { token } from './shared.ts';

export const FUSION_PERIODS = token<FusionPeriods>('FusionPeriods');

/** Adds what fuses models when their period is over, as a call would. */
export function bindFusionPeriods(container: Container, log: Logger): void {
  container.bind(FUSION_PERIODS).toDynamicValue((context) => {
    const periods = new FusionPeriods({
      directory: context.get(DIRECTORY),
      fuse: async (model, period, signal) => {
        const request = periodRequest(model, period);
        const telemetry = context.get(CALL_TELEMETRY);
        for await (const _ of fuse(request, context.get(SERVING), context.get(JOBS), signal, telemetry, 'period'));
      },
      record: (model, change) => context.get(PROMOTIONS).record(model, change),
      onDue: (model, { strategy }, passed) =>
        log.info({ model, strategy, passed: Number(passed.toFixed(2)) }, 'a fusion period is over'),
      onFailure: (model, { reason, message, cause }, isOver) =>
        log.warn(
          { model, reason, why: message, err: cause },
          isOver
            ? 'a model was not fused; it is tried again after its next period'
            : 'a model is not fused now; it is tried again',
        ),
    });
    context
      .get(METRICS)
      .meter.createObservableGauge('accrete_fuse_period_passed', {
        description: 'What part of its fusion period has passed, by model: from 1 on it is over.',
      })
      .addCallback((result) => {
        for (const [model, passed] of periods.passed()) result.observe(passed, { model });
      });
    return periods;
  });
}
