import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { SERVER } from '../server-process.ts';
import { type Devices, examineDevices } from './devices.ts';
import { attention, type Finding, note, ok } from './findings.ts';
import { examineDisk, size } from './limits.ts';
import { examineImports, examineStore, type ImportSize, type JournalSizes, type StateSizes } from './store.ts';

/** What `server/main.ts --doctor` prints: what a start in this folder would find. */
export interface Local {
  readonly versions: { readonly accrete: string; readonly node: string; readonly storeFormat: number };
  readonly faults: readonly {
    readonly reason: string;
    readonly message: string;
    readonly violations: readonly { readonly field: string; readonly description: string }[];
  }[];
  readonly settings?: readonly { readonly key: string; readonly value: unknown; readonly source: string }[];
  readonly data?: {
    readonly path: string;
    readonly exists: boolean;
    readonly bytes: number;
    readonly format?: number;
    readonly journal: JournalSizes;
    readonly state: StateSizes;
    readonly imports: readonly ImportSize[];
    readonly holder?: { readonly pid: number; readonly host: string; readonly since: string } | 'unknown';
    readonly disk?: { readonly free: number; readonly total: number };
  };
  readonly memory: { readonly total: number };
  readonly devices?: Devices;
}

const MIB = 1024 ** 2;
/** Of the machine's memory; the rest is for the system, the journal's pages and Node. */
const BUDGET_SHARE_MAX = 0.8;
const OUTPUT_BYTES_MAX = 16 * MIB;

/** Has a server look at the configuration and the data folder; `flags` are its own. */
export async function lookAtFolder(flags: readonly string[]): Promise<Local> {
  const { stdout } = await promisify(execFile)(process.execPath, [SERVER, '--doctor', ...flags], {
    maxBuffer: OUTPUT_BYTES_MAX,
  });
  return JSON.parse(stdout) as Local;
}

/** `answers`: whether a server answers where one was looked for. */
export function examineLocal(
  { versions, faults, settings, data, memory, devices }: Local,
  answers: boolean,
): Finding[] {
  const wrong = faults.map(({ reason, message, violations }) => {
    const subject = reason === 'PLUGIN_INVALID' ? 'plugin' : 'configuration';
    const list = violations.map(({ field, description }) => `${field}: ${description}`).join('; ');
    return attention(subject, list || message, 'correct it: a server does not start with it');
  });
  const config = settings && faults.length === 0 ? [ok('configuration', describe(settings))] : [];
  const budget = Number(settings?.find(({ key }) => key === 'memory.budgetMiB')?.value ?? 0) * MIB;
  const memories = settings ? [examineBudget(budget, memory.total)] : [];
  const findings = [
    ...wrong,
    ...config,
    ...memories,
    ...(devices ? examineDevices(devices) : []),
    ...(data ? examineData(data, versions.storeFormat, answers) : []),
  ];
  return [
    ok('versions', `Accrete ${versions.accrete}, Node ${versions.node}, store format ${versions.storeFormat}`),
    ...findings,
  ];
}

function describe(settings: NonNullable<Local['settings']>): string {
  const changed = settings.filter(({ source }) => source !== 'default').length;
  const rest = changed === 0 ? 'all have their defaults' : 'the others have their defaults';
  return `a start in this folder would find ${changed} of ${settings.length} settings set; ${rest}`;
}

function examineBudget(budget: number, total: number): Finding {
  const text = `memory.budgetMiB is ${size(budget)}, and this machine has ${size(total)}`;
  if (budget <= BUDGET_SHARE_MAX * total) return ok('budget', text);
  const advice = `set memory.budgetMiB to ${Math.floor((BUDGET_SHARE_MAX * total) / MIB)} or less: it is taken as it is used, and the system may end the server`;
  return attention('budget', text, advice);
}

function examineData(data: NonNullable<Local['data']>, formatMax: number, answers: boolean): Finding[] {
  const { path, exists, bytes, format, journal, state, imports, holder, disk } = data;
  const room = disk ? [examineDisk(disk.free, disk.total)] : [];
  if (!exists) return [ok('data', `${path} is not there yet; the first start makes it`), ...room];
  return [
    ok('data', `${path} holds ${size(bytes)}`),
    ...examineStore(journal, state, disk?.free),
    ...examineImports(imports),
    ...examineFormat(data, format, formatMax),
    ...examineHolder(holder, answers),
    ...room,
  ];
}

function examineFormat(
  { path, journal }: NonNullable<Local['data']>,
  format: number | undefined,
  formatMax: number,
): Finding[] {
  if (format === undefined && journal.links > 0)
    return [attention('format', `${path} does not say which format it has`, 'restore format.json from a backup')];
  if (format === undefined || format <= formatMax) return [];
  const advice = 'start the version that wrote it or a newer one, or name another data folder';
  return [attention('format', `${path} has format ${format}, and this version reads up to ${formatMax}`, advice)];
}

function examineHolder(holder: NonNullable<Local['data']>['holder'], answers: boolean): Finding[] {
  if (!holder) return [];
  const who =
    holder === 'unknown'
      ? 'a server that is just starting'
      : `process ${holder.pid} on ${holder.host} since ${holder.since}`;
  if (answers) return [ok('store', `it is in use by ${who}`)];
  return [note('store', `it is in use by ${who}, which does not answer here`, 'say where it listens with --address')];
}
