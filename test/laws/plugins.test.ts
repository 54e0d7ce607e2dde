import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadPlugin } from '../../server/models/plugins.ts';
import { exemption, judge } from './law.ts';
import { laws } from './laws.ts';
import { locate } from './locate.ts';
import { pluginNames, subjectsOf } from './subjects.ts';

/*
 * Every law, for every plugin of `plugins/`, under every configuration that its schema suggests. For others:
 * LAWS_PLUGINS names module specifiers, with commas between them, as seen from where npm was called.
 */

const folder = process.env.INIT_CWD ?? process.cwd();
const specifiers = process.env.LAWS_PLUGINS?.split(',') ?? pluginNames();

test('there are plugins', () => assert.notEqual(specifiers.length, 0));

for (const specifier of specifiers) {
  const plugin = await loadPlugin(locate(specifier, folder));
  for (const subject of subjectsOf(plugin)) {
    test(`${specifier}, ${subject.label}`, async (t) => {
      for (const law of laws) {
        const reason = exemption(law, subject);
        await t.test(law.name, { skip: reason }, async () => assert.deepEqual(await judge(law, subject), []));
      }
    });
  }
}
