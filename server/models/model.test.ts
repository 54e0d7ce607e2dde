import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Plugin } from '../../plugins/contract/index.ts';
import popularity from '../../plugins/popularity/plugin.ts';
import { Lab } from '../../test/laws/lab.ts';

const plugin = popularity as unknown as Plugin;
const make = (changed: Partial<Plugin>) => () => new Lab({ ...plugin, ...changed }, plugin.config.parse({}));

test('a plugin both says that it learns events and can, or neither', () => {
  const ratingsAlone: Plugin['learner'] = (context) => ({ learn: plugin.learner(context).learn });
  make({})();
  make({ learnsEvents: undefined, learner: ratingsAlone })();
  assert.throws(make({ learnsEvents: undefined }), {
    reason: 'PLUGIN_INVALID',
    message: 'Plugin popularity has learnEvent, and does not say learnsEvents: give it both or neither',
  });
  assert.throws(make({ learner: ratingsAlone }), {
    reason: 'PLUGIN_INVALID',
    message: 'Plugin popularity says learnsEvents, and its learner has no learnEvent: give it both or neither',
  });
});
