import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadPlugin } from '../../server/models/plugins.ts';
import { DEFAULTS, exemption, judge } from './law.ts';
import { laws } from './laws.ts';

/** A blend is a plugin like any other, whatever its members are. */

const EDIT = 'an edit reaches the model';
const OPPOSITE = 'its members take the edit, and it may believe the opposite of one';

for (const specifier of ['blend(mf,item-cf)', 'blend(mf,popularity,mf)']) {
  const plugin = await loadPlugin(specifier);
  const subject = { plugin, config: plugin.config.parse({}), label: DEFAULTS };
  test(specifier, async (t) => {
    for (const law of laws)
      await t.test(law.name, { skip: exemption(law, subject) ?? (law.name === EDIT && OPPOSITE) }, async () =>
        assert.deepEqual(await judge(law, subject), []),
      );
  });
}
