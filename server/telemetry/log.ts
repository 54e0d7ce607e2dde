import { destination, type Logger, pino } from 'pino';

export type { Logger };

/** Structured lines on standard error, so that what a command prints stays clean. */
export function createLog(level: string): Logger {
  return pino(
    { level, base: undefined, timestamp: pino.stdTimeFunctions.isoTime },
    destination({ dest: 2, sync: true }),
  );
}
