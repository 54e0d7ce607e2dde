import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Reclaimer } from '../readers.ts';
import { highArena } from '../testing/high-arena.ts';
import type { FeatureValues } from './feature-values.ts';
import { Features } from './features.ts';

/** What is known of a row is forgotten, with every term that no row has any more. */

const arena = highArena();
const reclaimer = new Reclaimer(arena);

function valuesOf(labels: string[], attributes: FeatureValues['attributes'] = new Map()): FeatureValues {
  const always = { available: true, fromSeconds: 0, untilSeconds: Number.POSITIVE_INFINITY };
  return { message: Buffer.from(labels.join()), categories: [], labels, attributes, embeddings: new Map(), ...always };
}

function termsOf({ terms }: Features): string[] {
  return Array.from({ length: terms.count }, (_, term) => terms.text(term)).filter((text) => text !== '');
}

test('own terms, fields and what was said before go; what others have stays', () => {
  const features = Features.create(arena, 1);
  features.write(0, valuesOf(['shared', 'first']), reclaimer);
  features.write(1, valuesOf(['earlier']), reclaimer);
  features.write(
    1,
    valuesOf(
      ['shared', 'own'],
      new Map<string, string | number>([
        ['mail', 'a@b'],
        ['age', 40],
      ]),
    ),
    reclaimer,
  );
  features.write(2, valuesOf(['shared'], new Map([['age', 30]])), reclaimer);
  features.forget(1, reclaimer);
  assert.deepEqual(termsOf(features).sort(), ['attributes.age', 'first', 'labels', 'shared']);
  assert.equal(features.message(1), undefined);
  assert.equal(features.availability.isKnown(1), false);
  assert.equal(Buffer.from(features.message(0) ?? []).toString(), 'shared,first');
  assert.equal(features.terms.findField('attributes.mail'), -1);
  assert.ok(features.terms.find(features.terms.findField('labels'), 'shared') >= 0);

  features.forget(2, reclaimer);
  assert.deepEqual(termsOf(features).sort(), ['first', 'labels', 'shared']);
  features.forget(99, reclaimer);
  features.write(3, valuesOf(['own'], new Map([['mail', 'c@d']])), reclaimer);
  assert.deepEqual(termsOf(features).sort(), ['attributes.mail', 'c@d', 'first', 'labels', 'own', 'shared']);
});
