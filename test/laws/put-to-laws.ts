import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadPlugin } from '../../server/models/plugins.ts';
import { exemption, judge } from './law.ts';
import { laws } from './laws.ts';
import { locate } from './locate.ts';
import { pluginNames, subjectsOf } from './subjects.ts';

/**
 * Every law, for every plugin of `plugins/`, under its defaults and one in so many of the configurations that its schema
 * suggests. For others: LAWS_PLUGINS names module specifiers, with commas between them, as seen from where npm was called;
 * they are tried under all of them.
 */
export async function putToLaws(oneIn: number): Promise<void> {
  const folder = process.env.INIT_CWD ?? process.cwd();
  const own = process.env.LAWS_PLUGINS?.split(',');
  const specifiers = own ?? pluginNames();
  const step = own ? 1 : oneIn;
  test('there are plugins', () => assert.notEqual(specifiers.length, 0));
  for (const specifier of specifiers) {
    const plugin = await loadPlugin(locate(specifier, folder));
    for (const subject of subjectsOf(plugin).filter((_, n) => n % step === 0)) {
      test(`${specifier}, ${subject.label}`, async (t) => {
        for (const law of laws) {
          const reason = exemption(law, subject);
          await t.test(law.name, { skip: reason }, async () => assert.deepEqual(await judge(law, subject), []));
        }
      });
    }
  }
}
