import { AccreteError, type FieldViolation, invalidField } from '../errors.ts';
import { ID_BYTES_MAX } from '../memory/ids.ts';
import { timeFault } from '../store/event-time.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL_CHARACTER = /[\u0000-\u001f\u007f-\u009f]/;

/** Violations that are listed; the rest is counted. */
const VIOLATIONS_MAX = 100;
const NAME = /^[a-z][a-z0-9_.-]{0,62}$/;

/** Collects what is wrong with a request's fields, to tell it all at once. */
export class Fields {
  readonly #violations: FieldViolation[] = [];
  #count = 0;

  refuse(field: string, description: string): void {
    if (++this.#count <= VIOLATIONS_MAX) this.#violations.push({ field, description });
  }

  id(field: string, id: string): void {
    const bytes = Buffer.byteLength(id);
    if (bytes === 0) this.refuse(field, `is empty: send 1 to ${ID_BYTES_MAX} bytes`);
    else if (bytes > ID_BYTES_MAX) this.refuse(field, `has ${bytes} bytes, and ${ID_BYTES_MAX} are allowed`);
    else if (CONTROL_CHARACTER.test(id)) this.refuse(field, 'has control characters, which are not allowed');
  }

  /** A name of a model, a scenario, an experiment. */
  name(field: string, name: string): void {
    if (NAME.test(name)) return;
    const form = 'a lower-case letter and at most 62 more of `a-z`, `0-9`, `_`, `.`, `-`';
    this.refuse(field, `is ${JSON.stringify(name.slice(0, 80))}: send ${form}`);
  }

  /** A text of at most `max` bytes. */
  bytes(field: string, text: string, max: number): void {
    const bytes = Buffer.byteLength(text);
    if (bytes > max) this.refuse(field, `has ${bytes} bytes, and ${max} are allowed`);
  }

  /** A number from 0 to 1. */
  share(field: string, value: number): void {
    if (!(value >= 0 && value <= 1)) this.refuse(field, `is ${value}: send 0 to 1`);
  }

  /** False when a list is too long. */
  count(field: string, list: readonly unknown[], max: number): boolean {
    if (list.length > max) this.refuse(field, `has ${list.length} entries, and ${max} are allowed`);
    return list.length <= max;
  }

  ids(field: string, ids: readonly string[], max: number): void {
    if (this.count(field, ids, max)) for (const [n, id] of ids.entries()) this.id(`${field}[${n}]`, id);
  }

  /** The size of a page: `fallback` for 0, `max` for more than that (AIP-158). */
  pageSize(size: number, fallback: number, max: number): number {
    if (size < 0) this.refuse('page_size', `is ${size}: send 0 for the default, or 1 to ${max}`);
    return Math.min(size > 0 ? size : fallback, max);
  }

  /** Seconds since 1970; undefined for no time. */
  time(field: string, time: { readonly seconds: bigint; readonly nanos: number } | undefined): number | undefined {
    if (!time) return undefined;
    const seconds = Number(time.seconds);
    const fault = timeFault(seconds, time.nanos, Date.now());
    if (fault) this.refuse(field, fault);
    return seconds + time.nanos * 1e-9;
  }

  /** Throws INVALID_FIELD when anything was refused. */
  check(): void {
    if (this.#violations.length === 0) return;
    const [{ field, description }] = this.#violations;
    const more = this.#count > 1 ? ` (and ${this.#count - 1} more violations)` : '';
    throw new AccreteError('INVALID_FIELD', `${field} ${description}${more}`, {
      violations: this.#violations,
      violationCount: this.#count,
    });
  }
}

/** `names`: the models that there are. Throws INVALID_FIELD. */
export function requireModelName(name: string, names: readonly string[]): void {
  if (name === '') throw invalidField('name', `is empty: send one of ${names.join(', ')}`);
}
