import fc from 'fast-check';
import type { Condition, Expression, Literal } from '../expression.ts';

/** Random filters over few fields and values, so that they meet those of random items. */

export const NAMES = ['year', 'a.b', 'two words', 'AND', '', '-', '日本'];
export const TEXTS = ['drama', 'true', '1990', '2020-01-01', '', 'a"b\\', 'é', '\uffee', '𝒳', '*', '1e3'];
export const NUMBERS = ['1990', '1990.0', '-1', '0', '1e3', '.5'];

const anyField = fc.oneof(
  fc.constantFrom('categories', 'labels', ...NAMES.map((name) => `attributes.${name}`)),
  fc.string({ unit: 'grapheme', maxLength: 4 }).map((name) => `attributes.${name}`),
);
const anyLiteral: fc.Arbitrary<Literal> = fc.oneof(
  fc.constantFrom(...TEXTS).map((text) => ({ text })),
  fc.string({ unit: 'grapheme', maxLength: 4 }).map((text) => ({ text })),
  fc.constantFrom(...NUMBERS).map((text) => ({ text, number: Number(text) })),
);

/** Objects as literals make them. */
const record = <T>(model: { [Key in keyof T]: fc.Arbitrary<T[Key]> }) => fc.record(model, { noNullPrototype: true });

const anyCondition: fc.Arbitrary<Condition> = fc.oneof(
  anyField.map((field) => ({ type: 'has' as const, field })),
  record({
    type: fc.constant('compare' as const),
    field: anyField,
    comparator: fc.constantFrom('=' as const, '<' as const, '<=' as const, '>' as const, '>=' as const),
    literal: anyLiteral,
  }),
);

export const anyExpression: fc.Arbitrary<Expression> = fc.letrec<{ expression: Expression }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 5, depthSize: 'small', withCrossShrink: true },
    anyCondition,
    record({ type: fc.constant('not' as const), part: tie('expression') }),
    record({
      type: fc.constantFrom('and' as const, 'or' as const),
      parts: fc.array(tie('expression'), { minLength: 2, maxLength: 4 }),
    }),
  ),
})).expression;
