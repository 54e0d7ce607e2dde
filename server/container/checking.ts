import type { Container } from 'inversify';
import type { AccreteError } from '../errors.ts';
import { JournalCheck } from '../serving/journal-check.ts';
import { DamageMark } from '../store/damage-mark.ts';
import { JournalMetrics } from '../telemetry/journal-metrics.ts';
import type { Logger } from '../telemetry/log.ts';
import { CHECK_JOBS, METRICS } from './server.ts';
import { CONFIG, journalFolder, REVISIONS, token } from './shared.ts';

export const JOURNAL_CHECK = token<JournalCheck>('JournalCheck');

/** Adds what looks for damage in the journal while the server serves; `halt` is called when there is some. */
export function bindJournalCheck(
  container: Container,
  halt: (damage: AccreteError) => Promise<void>,
  log: Logger,
): void {
  const { data, journal } = container.get(CONFIG);
  const revisions = container.get(REVISIONS);
  const jobs = container.get(CHECK_JOBS);
  const check = new JournalCheck({
    bytesPerSecond: journal.checkMiBPerSecond * 2 ** 20,
    learned: () => revisions.learned,
    read: async function* (to, signal) {
      for await (const step of jobs.run('check', { to }, signal)) if (step.type === 'item') yield step.item;
    },
    onDamage: async (damage) => {
      await halt(damage);
      try {
        new DamageMark(journalFolder(data)).set();
      } catch (err) {
        log.error({ err }, 'the next start is not told of the damage, and may have to find it again');
      }
    },
    onComplete: (bytes, ms) =>
      log.info({ bytes, ms: Math.round(ms) }, 'the records of the journal are as they were written'),
    onFailure: (err) => log.error({ err }, 'the journal could not be looked at; it is tried again in a week'),
  });
  new JournalMetrics(container.get(METRICS).meter, () => check.checked);
  container.bind(JOURNAL_CHECK).toConstantValue(check);
}
