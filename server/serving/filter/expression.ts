/** A filter as a tree. What a text or a number is compared with are all values of a field: one of them is enough. */

export type Comparator = '=' | '<' | '<=' | '>' | '>=';

/**
 * What stands on the right. A number, as it was written, is compared with numbers, and by `=` with equal texts too; a text
 * with texts, in the order of Unicode's code points.
 */
export interface Literal {
  readonly text: string;
  /** Absent: it was quoted, or reads as no number. */
  readonly number?: number;
}

/** `field`: `categories`, `labels` or `attributes.<name>`. */
export type Condition =
  | { readonly type: 'has'; readonly field: string }
  | { readonly type: 'compare'; readonly field: string; readonly comparator: Comparator; readonly literal: Literal };

export type Expression =
  | Condition
  | { readonly type: 'not'; readonly part: Expression }
  | { readonly type: 'and' | 'or'; readonly parts: readonly Expression[] };

export const ATTRIBUTE_PREFIX = 'attributes.';

/** Whether an item of which nothing is known satisfies it: no condition holds. */
export function matchesNothingKnown(expression: Expression): boolean {
  switch (expression.type) {
    case 'and':
      return expression.parts.every(matchesNothingKnown);
    case 'or':
      return expression.parts.some(matchesNothingKnown);
    case 'not':
      return !matchesNothingKnown(expression.part);
    default:
      return false;
  }
}

/** The text of an expression; `parseFilter` makes the same tree of it. Equal conditions have equal texts. */
export function printFilter(expression: Expression): string {
  switch (expression.type) {
    case 'and':
      return expression.parts.map((part) => (part.type === 'and' ? enclose(part) : printFilter(part))).join(' AND ');
    case 'or':
      // OR binds tighter than AND.
      return expression.parts
        .map((part) => (part.type === 'and' || part.type === 'or' ? enclose(part) : printFilter(part)))
        .join(' OR ');
    case 'not': {
      const { part } = expression;
      const isCondition = part.type === 'has' || part.type === 'compare';
      return `NOT ${isCondition ? printFilter(part) : enclose(part)}`;
    }
    case 'has':
      return `${printField(expression.field)}:*`;
    case 'compare': {
      const { field, comparator, literal } = expression;
      return `${printField(field)} ${comparator} ${literal.number === undefined ? quote(literal.text) : literal.text}`;
    }
  }
}

const SIMPLE_NAME = /^[\w-]+(\.[\w-]+)*$/;

function printField(field: string): string {
  if (!field.startsWith(ATTRIBUTE_PREFIX)) return field;
  const name = field.slice(ATTRIBUTE_PREFIX.length);
  return `${ATTRIBUTE_PREFIX}${SIMPLE_NAME.test(name) ? name : quote(name)}`;
}

function enclose(expression: Expression): string {
  return `(${printFilter(expression)})`;
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
