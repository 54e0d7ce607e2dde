import { formatCount } from '../output.ts';
import { formatTime } from '../progress.ts';
import { attention, type Finding, note, ok } from './findings.ts';
import { size } from './limits.ts';

/** Sizes of a store on disk: journal, checkpoints, versions of models, model files from elsewhere. */

export interface JournalSizes {
  readonly links: number;
  readonly bytes: number;
  /** "" if there is none. */
  readonly firstLinkFrom: string;
  readonly lastLinkFrom: string;
}

export interface StateSizes {
  readonly bytes: number;
  readonly checkpoints: readonly {
    readonly revision: string;
    readonly createdMs: number;
    readonly bytes: number;
    readonly files: number;
  }[];
  readonly damaged: readonly string[];
  readonly versions: { readonly files: number; readonly bytes: number };
}

export function examineStore(journal: JournalSizes, state: StateSizes, free: number | undefined): Finding[] {
  return [
    ...examineLinks(journal),
    ...state.damaged.map((why) =>
      attention('checkpoint', why, 'make another one (accrete checkpoint create): the one before it serves meanwhile'),
    ),
    ...examineCheckpoints(journal, state),
    ...examineRoom(state, free),
  ];
}

export interface ImportSize {
  readonly name: string;
  readonly bytes: number;
}

export function examineImports(imports: readonly ImportSize[]): Finding[] {
  if (imports.length === 0) return [];
  const each = imports.map(({ name, bytes }) => `${name} (${size(bytes)})`);
  return [ok('imports', `imports/ holds ${each.join(', ')}`)];
}

function examineLinks({ links, bytes, firstLinkFrom }: JournalSizes): Finding[] {
  if (links === 0) return [];
  const from = Number(firstLinkFrom) > 1 ? `; what came before revision ${firstLinkFrom} is not kept` : '';
  return [ok('records', `the journal has ${size(bytes)} in ${count(links, 'file')}${from}`)];
}

function examineCheckpoints(
  { links, firstLinkFrom }: JournalSizes,
  { checkpoints, bytes, versions }: StateSizes,
): Finding[] {
  if (checkpoints.length === 0 && Number(firstLinkFrom) > 1) {
    const text = `there is none, and the journal begins at revision ${firstLinkFrom}: no server starts on it`;
    return [
      attention('checkpoints', text, 'restore the folder state, or the older files of the journal, from a backup'),
    ];
  }
  if (checkpoints.length === 0) {
    const text = 'there is none yet: a start learns the whole journal';
    return links > 0
      ? [note('checkpoints', text, 'a server makes them by itself, and by accrete checkpoint create')]
      : [];
  }
  const each = checkpoints.map(
    ({ revision, createdMs, bytes, files }) =>
      `${revision} (${age(createdMs)} ago, ${size(bytes)} in ${count(files, 'file')})`,
  );
  const kept =
    versions.files === 0 ? '' : `, of which ${count(versions.files, 'version')} of models ${size(versions.bytes)}`;
  return [ok('checkpoints', `${each.join(', ')}; state/ holds ${size(bytes)}${kept}`)];
}

/** A checkpoint may be written whole before an older one goes. */
function examineRoom({ checkpoints: [latest] }: StateSizes, free: number | undefined): Finding[] {
  if (!latest || free === undefined || free >= latest.bytes) return [];
  const text = `the next one may take ${size(latest.bytes)}, and ${size(free)} are free`;
  return [attention('room', text, 'make room where the data folder is: until then a start learns more and more')];
}

function age(createdMs: number): string {
  return formatTime(Math.max(0, Math.round((Date.now() - createdMs) / 1000)));
}

function count(n: number, what: string): string {
  return `${formatCount(n)} ${what}${n === 1 ? '' : 's'}`;
}
