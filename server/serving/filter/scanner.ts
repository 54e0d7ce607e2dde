import { invalidField } from '../../errors.ts';

/** Reads a filter from left to right. A word ends at white space, and at what has a meaning of its own. */

export const KEYWORDS: readonly string[] = ['AND', 'OR', 'NOT'];
const SPACE = /\s*/y;
/** Between the dots of a field. */
const NAME = /[^\s()",'.:=<>!]+/y;
/** On the right of a comparator: dots and colons are part of it, as in 1.5 and 12:30:00. */
const BARE = /[^\s()",'=<>!]+/y;
const FOUND_MAX = 40;

export class Scanner {
  readonly #text: string;
  readonly #path: string;
  #at = 0;

  /** `path`: the field of the request that holds the text. */
  constructor(text: string, path: string) {
    this.#text = text;
    this.#path = path;
    this.skipSpace();
  }

  /** Where the next thing begins. */
  get at(): number {
    return this.#at;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  skipSpace(): void {
    this.#match(SPACE);
  }

  /** Takes one of `symbols` if it is next, and the space after it; the longer ones come first. */
  takeSymbol<Symbol extends string>(symbols: readonly Symbol[]): Symbol | undefined {
    const found = symbols.find((symbol) => this.#text.startsWith(symbol, this.#at));
    if (found === undefined) return undefined;
    this.#at += found.length;
    this.skipSpace();
    return found;
  }

  takeKeyword(keyword: string): boolean {
    if (this.peekName() !== keyword) return false;
    this.#at += keyword.length;
    this.skipSpace();
    return true;
  }

  peekName(): string {
    NAME.lastIndex = this.#at;
    return NAME.exec(this.#text)?.[0] ?? '';
  }

  /** A name, or ''; the space after it stays. */
  takeName(): string {
    return this.#match(NAME);
  }

  /** A word on the right of a comparator, or ''; the space after it stays. */
  takeBare(): string {
    return this.#match(BARE);
  }

  /** A text in single or double quotes, or undefined. A backslash makes a quote or backslash an ordinary character. */
  takeQuoted(): string | undefined {
    const text = this.#text;
    const start = this.#at;
    const quote = text[start];
    if (quote !== '"' && quote !== "'") return undefined;
    let value = '';
    for (let at = start + 1; at < text.length; at++) {
      if (text[at] === quote) {
        this.#at = at + 1;
        return value;
      }
      if (text[at] === '\\' && !'"\'\\'.includes(text[++at] ?? ' ')) {
        this.fail('after a backslash, a quote or a backslash', at);
      }
      value += text[at];
    }
    return this.fail(`the ${quote} that ends the text which begins at character ${this.#position(start)}`, text.length);
  }

  /** Throws INVALID_FIELD: what was expected where, and what is there. */
  fail(expected: string, at = this.#at): never {
    return this.refuse(`found ${this.#found(at)}, expected ${expected}`, at);
  }

  /** Throws INVALID_FIELD: what is wrong where. */
  refuse(problem: string, at: number): never {
    throw invalidField(this.#path, `goes wrong at character ${this.#position(at)}: ${problem}`);
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  /** Counted from 1, in Unicode characters. */
  #position(at: number): number {
    return [...this.#text.slice(0, at)].length + 1;
  }

  #found(at: number): string {
    if (at >= this.#text.length) return 'the end';
    BARE.lastIndex = at;
    const [word] = BARE.exec(this.#text) ?? [String.fromCodePoint(this.#text.codePointAt(at) ?? 0)];
    return `\`${shorten(word)}\``;
  }
}

/** So that a message stays short. */
export function shorten(word: string): string {
  const characters = [...word];
  return characters.length > FOUND_MAX ? `${characters.slice(0, FOUND_MAX).join('')}…` : word;
}
