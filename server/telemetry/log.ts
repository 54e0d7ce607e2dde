import { isSpanContextValid, trace } from '@opentelemetry/api';
import { destination, type Logger, pino } from 'pino';

export type { Logger };

/** Who hears every line as well, once there is someone. */
export interface LogTee {
  onLine?: (line: string) => void;
}

/** Structured lines on standard error, so that what a command prints stays clean. Those of a traced call name its trace. */
export function createLog(level: string, tee: LogTee = {}): Logger {
  const standardError = destination({ dest: 2, sync: true });
  return pino(
    { level, base: undefined, timestamp: pino.stdTimeFunctions.isoTime, mixin: traceOfCall },
    {
      write(line: string) {
        standardError.write(line);
        tee.onLine?.(line);
      },
    },
  );
}

/** As OpenTelemetry names them where a log is no OTLP. */
function traceOfCall(): object {
  const span = trace.getActiveSpan()?.spanContext();
  if (!span || !isSpanContextValid(span)) return {};
  return { trace_id: span.traceId, span_id: span.spanId, trace_flags: `0${span.traceFlags.toString(16)}` };
}
