import type { Item } from '../../proto/gen/accrete/v1/catalog.ts';
import type { Embedding } from '../../proto/gen/accrete/v1/feature.ts';
import type { User } from '../../proto/gen/accrete/v1/user.ts';
import type { Timestamp } from '../../proto/gen/google/protobuf/timestamp.ts';
import type { Fields } from './fields.ts';

/** What may be told of items and users. */

export const UPSERT_MAX = 10_000;
const TITLE_BYTES_MAX = 1024;
const WORDS_MAX = 64;
const WORD_BYTES_MAX = 256;
const ATTRIBUTES_BYTES_MAX = 64 * 1024;
const EMBEDDINGS_MAX = 16;
const EMBEDDING_LENGTH_MAX = 4096;
const NANOS_MAX = 999_999_999;
/** The end of the year 9999. */
const SECONDS_MAX = 253_402_300_799n;

const COMMON_FIELDS = ['labels', 'attributes', 'embeddings'];
export const ITEM_FIELDS = [
  'title',
  'categories',
  ...COMMON_FIELDS,
  'available',
  'available_from',
  'available_until',
] as const;
export const USER_FIELDS = COMMON_FIELDS;

export function checkItem(fields: Fields, path: string, item: Item): void {
  fields.id(`${path}.item_id`, item.itemId);
  fields.bytes(`${path}.title`, item.title, TITLE_BYTES_MAX);
  checkWords(fields, `${path}.categories`, item.categories);
  checkCommon(fields, path, item);
  const from = checkTime(fields, `${path}.available_from`, item.availableFrom);
  const until = checkTime(fields, `${path}.available_until`, item.availableUntil);
  if (from !== undefined && until !== undefined && until <= from)
    fields.refuse(`${path}.available_until`, 'is not later than available_from: send a later time, or leave one out');
}

export function checkUser(fields: Fields, path: string, user: User): void {
  fields.id(`${path}.user_id`, user.userId);
  checkCommon(fields, path, user);
}

/** The list of a request: neither empty nor too long, and nobody twice. False when it is not worth a closer look. */
export function checkList(fields: Fields, field: string, ids: readonly string[]): boolean {
  if (ids.length === 0) fields.refuse(field, `is empty: send 1 to ${UPSERT_MAX}`);
  if (ids.length === 0 || !fields.count(field, ids, UPSERT_MAX)) return false;
  const first = new Map<string, number>();
  for (const [n, id] of ids.entries()) {
    const before = first.get(id);
    if (before !== undefined) fields.refuse(`${field}[${n}]`, `is ${JSON.stringify(id)} again, as ${field}[${before}]`);
    else first.set(id, n);
  }
  return true;
}

/** The paths of a field mask: those of whole fields. */
export function checkMask(fields: Fields, mask: readonly string[] | undefined, known: readonly string[]): void {
  for (const path of mask ?? []) {
    const snake = path.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    if (!known.includes(snake))
      fields.refuse('update_mask', `names ${path}, and these can be named: ${known.join(', ')}`);
  }
}

function checkCommon(fields: Fields, path: string, { labels, attributes, embeddings }: Item | User): void {
  checkWords(fields, `${path}.labels`, labels);
  if (attributes) checkAttributes(fields, `${path}.attributes`, attributes);
  checkEmbeddings(fields, `${path}.embeddings`, embeddings);
}

function checkWords(fields: Fields, path: string, words: readonly string[]): void {
  if (!fields.count(path, words, WORDS_MAX)) return;
  for (const [n, word] of words.entries()) {
    if (word === '') fields.refuse(`${path}[${n}]`, `is empty: send 1 to ${WORD_BYTES_MAX} bytes`);
    fields.bytes(`${path}[${n}]`, word, WORD_BYTES_MAX);
  }
}

function checkAttributes(fields: Fields, path: string, attributes: Readonly<Record<string, unknown>>): void {
  fields.bytes(path, JSON.stringify(attributes), ATTRIBUTES_BYTES_MAX);
  for (const [name, value] of Object.entries(attributes)) {
    const members: readonly unknown[] = Array.isArray(value) ? value : [value];
    const place = members.findIndex((member) => !isPlain(member, Array.isArray(value)));
    if (name === '') fields.refuse(path, 'has an attribute without a name');
    if (place < 0) continue;
    const wrong = members[place] ?? 'nothing';
    const shown = typeof wrong === 'object' ? 'a nested value' : String(wrong);
    fields.refuse(
      `${path}.${name}`,
      `holds ${shown}: send texts, finite numbers, truth values, or lists of texts or numbers`,
    );
  }
}

function isPlain(value: unknown, inList: boolean): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value === 'string' || (!inList && (typeof value === 'boolean' || value === null));
}

function checkEmbeddings(fields: Fields, path: string, embeddings: Readonly<Record<string, Embedding>>): void {
  const names = Object.keys(embeddings);
  if (!fields.count(path, names, EMBEDDINGS_MAX)) return;
  for (const name of names) {
    const at = `${path}[${JSON.stringify(name)}]`;
    const { values } = embeddings[name];
    if (name === '') fields.refuse(at, 'has no name');
    fields.bytes(at, name, WORD_BYTES_MAX);
    if (values.length === 0 || values.length > EMBEDDING_LENGTH_MAX)
      fields.refuse(at, `has ${values.length} numbers: send 1 to ${EMBEDDING_LENGTH_MAX}`);
    if (!values.every(Number.isFinite)) fields.refuse(at, 'has numbers that are not finite');
  }
}

/** The time in seconds; undefined when there is none. */
function checkTime(fields: Fields, path: string, time: Timestamp | undefined): number | undefined {
  if (!time) return undefined;
  const { seconds, nanos } = time;
  if (nanos < 0 || nanos > NANOS_MAX) fields.refuse(path, `has ${nanos} nanoseconds: they must be 0 to ${NANOS_MAX}`);
  if (seconds < 0n) fields.refuse(path, 'is before 1970: times from 1970 on are allowed');
  if (seconds > SECONDS_MAX) fields.refuse(path, 'is after the year 9999, the last that a Timestamp has');
  return Number(seconds) + nanos * 1e-9;
}
