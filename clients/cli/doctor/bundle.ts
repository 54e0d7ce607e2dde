import { createReadStream } from 'node:fs';
import { arch, cpus, freemem, loadavg, release, totalmem, type } from 'node:os';
import { createInterface } from 'node:readline';

/** What a report of a bug needs, in one document that can be read before it is sent. */

/** The last lines of a log that are taken. */
const LOG_LINES_MAX = 1000;
/** Of the log's levels: what is less was written as it stands in the code, and holds nothing of a request. */
const FATAL = 60;

/** One of the lines, less every text that could come from a request: an id may be in the message of an error. */
type LogLine = Readonly<Record<string, unknown>>;

export interface Bundle {
  readonly made: string;
  readonly says: string;
  readonly machine: object;
  /** Names alone: values may be secrets. */
  readonly variables: readonly string[];
  readonly log?: readonly LogLine[];
}

const SAYS =
  'What `accrete doctor --bundle` found. There are no ids of users or items in it, no ratings, no secrets: paths, names of models and their settings are. Read it before you send it.';

/** `found`: the rest of the document; `log`: a file with lines that the server wrote. */
export async function makeBundle(found: object, log: string | undefined): Promise<Bundle> {
  const variables = Object.keys(process.env).filter((name) => /^(ACCRETE|OTEL|NODE)_/.test(name));
  return {
    made: new Date().toISOString(),
    says: SAYS,
    machine: {
      system: `${type()} ${release()} ${arch()}`,
      node: process.version,
      processors: cpus().length,
      processor: cpus()[0]?.model,
      load: loadavg(),
      memory: { total: totalmem(), free: freemem() },
    },
    variables: variables.sort(),
    ...found,
    ...(log !== undefined && { log: await readLog(log) }),
  };
}

async function readLog(file: string): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    const line = parse(text);
    if (!line) continue;
    lines.push(withoutIds(line));
    if (lines.length > LOG_LINES_MAX) lines.shift();
  }
  return lines;
}

/** Undefined for what is no line of the server. */
function parse(text: string): Record<string, unknown> | undefined {
  try {
    const line: unknown = JSON.parse(text);
    return typeof line === 'object' && line !== null && 'level' in line ? (line as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Texts that the server has from itself: when, what, and words out of closed lists. */
const OWN_TEXTS = ['time', 'msg', 'reason', 'phase', 'step', 'rpc.method', 'rpc.status_code', 'model', 'device'];

function withoutIds(line: Record<string, unknown>): LogLine {
  const isFatal = Number(line.level) >= FATAL;
  const kept = Object.entries(line).filter(([key, value]) => {
    if (typeof value === 'number' || typeof value === 'boolean') return true;
    return typeof value === 'string' && OWN_TEXTS.includes(key) && !(isFatal && key === 'msg');
  });
  return Object.fromEntries(kept);
}
