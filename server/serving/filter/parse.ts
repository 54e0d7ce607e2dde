import { findNearest } from '../../config/nearest.ts';
import { invalidField } from '../../errors.ts';
import { ATTRIBUTE_PREFIX, type Comparator, type Condition, type Expression, type Literal } from './expression.ts';
import { KEYWORDS, Scanner, shorten } from './scanner.ts';

/**
 * Filters in a subset of AIP-160 (google.aip.dev/160). Of its grammar:
 *
 *   expression = factor {AND factor}        factor = term {OR term}: OR binds tighter than AND
 *   term       = [NOT | -] (restriction | "(" expression ")")
 *   restriction = field comparator value    comparator = "=" | "!=" | "<" | "<=" | ">" | ">=" | ":"
 *
 * The fields have several values: a comparison holds when one of them does, so `:` (has) is `=`, and `a != b` is
 * `NOT a = b`. `field:*` says that there is a value; `attributes:name` is `attributes.name:*`. Refused: two restrictions
 * without AND or OR between them, a value without a field, functions, and `*` as a part of a word (in quotes it is
 * an ordinary character).
 */

export const FILTER_BYTES_MAX = 4096;
export const FILTER_DEPTH_MAX = 32;
export const FILTER_CONDITIONS_MAX = 256;
/** Comparisons by the order of texts: each looks at every text that there is. */
export const FILTER_TEXT_ORDERS_MAX = 16;

const FIELDS = ['categories', 'labels', 'attributes'];
const COMPARATORS = ['!=', '<=', '>=', '=', '<', '>', ':'] as const;
const NUMBER = /^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/**
 * The tree of a filter; undefined for one that is empty or blank. Throws INVALID_FIELD: at which character, counted from
 * 1, what was found and what was expected. `path` names the field of the request that holds it.
 */
export function parseFilter(text: string, path = 'filter'): Expression | undefined {
  const bytes = Buffer.byteLength(text);
  if (bytes > FILTER_BYTES_MAX)
    throw invalidField(path, `has ${bytes} bytes, and ${FILTER_BYTES_MAX} are allowed: shorten it`);
  const scanner = new Scanner(text, path);
  return scanner.isAtEnd ? undefined : new Parser(scanner).filter();
}

class Parser {
  readonly #scanner: Scanner;
  #depth = 0;
  #conditions = 0;
  #textOrders = 0;

  constructor(scanner: Scanner) {
    this.#scanner = scanner;
  }

  filter(): Expression {
    const expression = this.#expression();
    if (!this.#scanner.isAtEnd) this.#failAfterTerm('the end');
    return expression;
  }

  #expression(): Expression {
    return this.#joined('and', 'AND', () => this.#joined('or', 'OR', () => this.#term()));
  }

  #joined(type: 'and' | 'or', keyword: string, next: () => Expression): Expression {
    const parts = [next()];
    while (this.#scanner.takeKeyword(keyword)) parts.push(next());
    return parts.length === 1 ? parts[0] : { type, parts };
  }

  #term(): Expression {
    const scanner = this.#scanner;
    const negated = scanner.takeKeyword('NOT') || scanner.takeSymbol(['-']) !== undefined;
    const start = scanner.at;
    const part = scanner.takeSymbol(['(']) ? this.#enclosed(start) : this.#restriction();
    return negated ? { type: 'not', part } : part;
  }

  #enclosed(start: number): Expression {
    const scanner = this.#scanner;
    if (++this.#depth > FILTER_DEPTH_MAX)
      scanner.refuse(`more than ${FILTER_DEPTH_MAX} parentheses stand in each other`, start);
    const expression = this.#expression();
    this.#depth--;
    if (!scanner.takeSymbol([')'])) this.#failAfterTerm('`)`');
    return expression;
  }

  #failAfterTerm(end: string): never {
    const word = this.#scanner.peekName();
    const hint = KEYWORDS.includes(word.toUpperCase())
      ? ` (write ${word.toUpperCase()} in capitals)`
      : ' (nothing means AND by itself: write it)';
    return this.#scanner.fail(`AND, OR or ${end}${word === '' ? '' : hint}`);
  }

  #restriction(): Expression {
    const scanner = this.#scanner;
    const start = scanner.at;
    const field = this.#field();
    scanner.skipSpace();
    if (++this.#conditions > FILTER_CONDITIONS_MAX)
      scanner.refuse(`there are more than ${FILTER_CONDITIONS_MAX} comparisons`, start);
    const comparator = scanner.takeSymbol(COMPARATORS);
    if (comparator === undefined) return scanner.fail('one of = != < <= > >= :');
    if (field === 'attributes') return this.#namedAttribute(comparator, start);
    const isEverything = comparator === ':' && scanner.takeSymbol(['*']) !== undefined;
    const condition: Condition = isEverything
      ? { type: 'has', field }
      : { type: 'compare', field, comparator: simple(comparator), literal: this.#literal() };
    if (isTextOrder(condition) && ++this.#textOrders > FILTER_TEXT_ORDERS_MAX)
      scanner.refuse(`more than ${FILTER_TEXT_ORDERS_MAX} comparisons ask for an order of texts`, start);
    scanner.skipSpace();
    return comparator === '!=' ? { type: 'not', part: condition } : condition;
  }

  /** `attributes:name` */
  #namedAttribute(comparator: string, start: number): Expression {
    const scanner = this.#scanner;
    const at = scanner.at;
    if (comparator !== ':') return scanner.fail('the name of an attribute with it: attributes.<name>', start);
    const name = scanner.takeQuoted() ?? scanner.takeBare();
    if (name === '' || name === '*') return scanner.fail('the name of an attribute', at);
    scanner.skipSpace();
    return { type: 'has', field: `${ATTRIBUTE_PREFIX}${name}` };
  }

  /** `categories`, `labels`, `attributes`, or `attributes.<name>`, where a name may have dots and each part quotes. */
  #field(): string {
    const scanner = this.#scanner;
    const start = scanner.at;
    const first = scanner.takeName();
    if (first === '' || KEYWORDS.includes(first))
      return scanner.fail('a field (categories, labels or attributes.<name>), NOT or `(`', start);
    if (!FIELDS.includes(first)) return this.#refuseField(first, start);
    const parts: string[] = [];
    while (scanner.takeSymbol(['.'])) {
      if (first !== 'attributes') return scanner.refuse(`\`${first}\` has no parts`, start);
      parts.push(scanner.takeQuoted() ?? (scanner.takeName() || scanner.fail('the name of an attribute')));
    }
    return [first, ...parts].join('.');
  }

  #refuseField(name: string, at: number): never {
    const capitals = KEYWORDS.includes(name.toUpperCase()) ? `; if you mean ${name.toUpperCase()}, write capitals` : '';
    const nearest = findNearest(name, FIELDS);
    return this.#scanner.refuse(
      `there is no field \`${shorten(name)}\`, expected categories, labels or attributes.<name>; the nearest is \`${nearest}\`, ` +
        `and an attribute of that name is \`attributes.${shorten(name)}\`${capitals}`,
      at,
    );
  }

  #literal(): Literal {
    const scanner = this.#scanner;
    const start = scanner.at;
    const quoted = scanner.takeQuoted();
    if (quoted !== undefined) return { text: quoted };
    const text = scanner.takeBare();
    if (text === '' || KEYWORDS.includes(text)) return scanner.fail('a number, a word or a text in quotes', start);
    if (text.includes('*'))
      return scanner.refuse(`\`*\` cannot stand for a part of a word: quote the word if it has a star`, start);
    const number = NUMBER.test(text) ? Number(text) : Number.NaN;
    return Number.isFinite(number) ? { text, number } : { text };
  }
}

function isTextOrder(condition: Condition): boolean {
  return condition.type === 'compare' && condition.comparator !== '=' && condition.literal.number === undefined;
}

function simple(comparator: (typeof COMPARATORS)[number]): Comparator {
  return comparator === ':' || comparator === '!=' ? '=' : comparator;
}
