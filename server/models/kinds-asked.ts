import { didYouMean } from '../config/nearest.ts';
import { AccreteError, type FieldViolation } from '../errors.ts';
import type { KindMeaning } from '../memory/kinds.ts';
import type { ResolvedModel } from './plugins.ts';

/**
 * A model that is set to learn a kind of events has to get some: otherwise it would learn nothing, and nobody would say so.
 * `placeOf` says where a model stands, for messages. Throws CONFIG_INVALID with every mistake.
 */
export function requireKinds(
  models: readonly ResolvedModel[],
  kinds: Readonly<Record<string, KindMeaning>>,
  placeOf = (n: number) => `models[${n}].`,
): void {
  const violations = models.flatMap(({ plugin, spec }, n): FieldViolation[] => {
    const asked = plugin.learnsKinds?.(spec.config as never) ?? [];
    return asked.flatMap((kind) => {
      const fault = faultOf(kind, kinds);
      return fault === undefined ? [] : [{ field: `${placeOf(n)}config`, description: fault }];
    });
  });
  if (violations.length === 0) return;
  const list = violations.map(({ field, description }) => `${field} ${description}`).join('; ');
  throw new AccreteError('CONFIG_INVALID', `Models learn kinds of events that they cannot: ${list}`, { violations });
}

function faultOf(kind: string, kinds: Readonly<Record<string, KindMeaning>>): string | undefined {
  const learns = `learns from events of the kind ${JSON.stringify(kind)} alone`;
  if (!Object.hasOwn(kinds, kind)) {
    const names = Object.keys(kinds);
    const known = names.length > 0 ? `${didYouMean(kind, names)}\`kinds\` has ${names.join(', ')}` : '`kinds` is empty';
    return `${learns}, which is not configured: ${known}`;
  }
  if (!kinds[kind].exposure) return undefined;
  return `${learns}, which \`kinds\` has as an exposure: it says what was shown, and not what was done`;
}
