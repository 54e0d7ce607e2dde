import type { Logger, LogTee } from './log.ts';
import type { OtlpExport } from './otlp-export.ts';
import { type Env, planOtlp } from './otlp-plan.ts';

/**
 * Starts to send traces, metrics and the log to a collector, as OpenTelemetry's environment variables say; undefined when they
 * name none, and then nothing of the SDK is loaded. Throws CONFIG_INVALID.
 */
export async function startOtlp(env: Env, log: Logger, tee: LogTee = {}): Promise<OtlpExport | undefined> {
  const plan = planOtlp(env);
  if (!plan) return undefined;
  const { OtlpExport } = await import('./otlp-export.ts');
  const otlp = new OtlpExport(plan, env, log);
  tee.onLine = (line) => otlp.logLine(line);
  log.info({ traces: plan.traces, metrics: plan.metrics, logs: plan.logs }, 'sending by OTLP');
  return otlp;
}
