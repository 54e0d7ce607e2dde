import type { BanditConfig } from '../../plugins/bandit/config.ts';
import { findOpenBandit } from '../experiments/open-bandit.ts';
import { type ClickModel, fitClickModel } from '../exploration/click-model.ts';
import { learnFromClicks } from '../exploration/learning.ts';
import { type Figure, ofRounds, type Report } from './report.ts';

/**
 * Bandits that learn from clicks: `bandit` and the server's draws, against lists of any items, over a click model that is fitted
 * on what the uniform policy of the Open Bandit data set showed. As many impressions as that log has.
 */

const part = 'bandits';
const ITEMS = 34;
const PLACES = 3;
const SEEDS = Number(process.env.SEEDS ?? 200);

const POLICIES: Readonly<Record<string, Partial<BanditConfig>>> = {
  thompson: { policy: 'thompson' },
  'thompson, alpha 0.5': { policy: 'thompson', alpha: 0.5 },
  'no draws (thompson, alpha 0)': { policy: 'thompson', alpha: 0 },
};

export async function benchBandits(report: Report): Promise<void> {
  report.heading('Bandits: clicks as in the uniform log of the Open Bandit data set, men');
  const { log, skip } = findOpenBandit('random');
  if (!log) return report.note(String(skip));
  const model = fitClickModel(log, ITEMS, PLACES);
  tellFit(report, model);
  const lists = Math.floor(model.fit.exposures / PLACES);
  for (const [name, config] of Object.entries(POLICIES)) {
    const found = Array.from({ length: SEEDS }, (_, n) => learnFromClicks(model, config, lists, n + 1));
    const add = (what: string, figure: Omit<Figure, 'part' | 'name'>) =>
      report.add({ part, name: `${name}: ${what}`, ...figure });
    const whole = found.map(({ expected }) => expected / (lists * model.uniform));
    const { mean, interval } = meanOf(whole);
    add(`expected clicks of ${lists} lists, times uniform, over ${SEEDS} seeds`, { value: mean, interval, unit: '' });
    if (name === 'thompson') add('the same, lower bound', { value: interval[0], unit: '', target: { atLeast: 1 } });
    add('seeds with more than uniform', { value: whole.filter((each) => each > 1).length / SEEDS, unit: '' });
    add('the last tenth of the lists, times uniform', {
      ...ofRounds(found.map(({ late }) => (10 * late) / (lists * model.uniform))),
      unit: '',
    });
  }
}

function tellFit(report: Report, { fit, uniform }: ClickModel): void {
  const { attractions, attention, exposures, clicks, chiSquare, degrees } = fit;
  const quantile = (share: number) => 1000 * attractions[Math.round(share * (attractions.length - 1))];
  const add = (name: string, value: number, unit = '') =>
    report.add({ part, name: `click model: ${name}`, value, unit });
  add(`clicks of ${exposures} impressions`, clicks);
  for (const [place, value] of attention.entries()) add(`how much place ${place + 1} is looked at`, value);
  for (const [name, share] of [
    ['least attractive', 0],
    ['middle', 0.5],
    ['most attractive', 1],
  ] as const)
    add(`${name} item`, quantile(share), '‰');
  add('clicks of a list of any items', 1000 * uniform, '‰');
  add(`chi-square of the items, ${degrees} degrees of freedom`, chiSquare);
  report.note(
    'the log alone does not show that items differ (its chi-square is what chance would give): the model says how much they may, and the figures what a bandit makes of that',
  );
}

function meanOf(values: readonly number[]): { mean: number; interval: [number, number] } {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  const width = 1.96 * Math.sqrt(square / values.length);
  return { mean, interval: [mean - width, mean + width] };
}
