import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import type { LogAttributes, Logger } from '@opentelemetry/api-logs';
import type { Resource } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider, type LogRecordExporter } from '@opentelemetry/sdk-logs';

/** The lines of the log as records of OpenTelemetry. */

/** Pino's levels are ten times their place; each of OpenTelemetry's has four numbers. */
const SEVERITIES = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

interface Line {
  readonly level: number;
  readonly time: string;
  readonly msg?: string;
  readonly trace_id?: string;
  readonly span_id?: string;
  readonly trace_flags?: string;
  readonly err?: { readonly type?: string; readonly message?: string; readonly stack?: string };
}

export class OtlpLogs {
  readonly #provider: LoggerProvider;
  readonly #logger: Logger;

  constructor(resource: Resource, exporter: LogRecordExporter) {
    this.#provider = new LoggerProvider({ resource, processors: [new BatchLogRecordProcessor({ exporter })] });
    this.#logger = this.#provider.getLogger('accrete');
  }

  /** `line` as the log writes it. */
  emit(line: string): void {
    const { level, time, msg, trace_id, span_id, trace_flags, err, ...rest } = JSON.parse(line) as Line;
    const place = Math.min(Math.max(Math.round(level / 10), 1), SEVERITIES.length) - 1;
    const error = err && {
      'exception.type': err.type,
      'exception.message': err.message,
      'exception.stacktrace': err.stack,
    };
    const span =
      trace_id && span_id ? { traceId: trace_id, spanId: span_id, traceFlags: Number(trace_flags) } : undefined;
    this.#logger.emit({
      timestamp: new Date(time),
      severityNumber: 4 * place + 1,
      severityText: SEVERITIES[place],
      body: msg,
      attributes: { ...rest, ...error } as LogAttributes,
      ...(span && { context: trace.setSpanContext(ROOT_CONTEXT, span) }),
    });
  }

  shutdown(): Promise<void> {
    return this.#provider.shutdown();
  }
}
