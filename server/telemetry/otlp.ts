import type { Logger } from './log.ts';
import type { OtlpExport } from './otlp-export.ts';
import { type Env, planOtlp } from './otlp-plan.ts';

/**
 * Starts to send traces and metrics to a collector, as OpenTelemetry's environment variables say; undefined when they
 * name none, and then nothing of the SDK is loaded. Throws CONFIG_INVALID.
 */
export async function startOtlp(env: Env, log: Logger): Promise<OtlpExport | undefined> {
  const plan = planOtlp(env);
  if (!plan) return undefined;
  const { OtlpExport } = await import('./otlp-export.ts');
  log.info({ traces: plan.traces, metrics: plan.metrics }, 'sending by OTLP');
  return new OtlpExport(plan, env, log);
}
