import {
  type BanditLog,
  clickRate,
  estimate,
  findOpenBandit,
  meanPolicy,
  uniform,
} from '../experiments/open-bandit.ts';
import type { Report } from './report.ts';

const part = 'off-policy';

/** The click rates of two policies, each estimated from what the other one showed, beside what they really were. */
export async function benchOffPolicy(report: Report): Promise<void> {
  report.heading('Off-policy estimates: the Open Bandit data set, men');
  const [random, bts] = [findOpenBandit('random'), findOpenBandit('bts')];
  if (!random.log || !bts.log) return report.note(String(random.skip || bts.skip));
  tell(report, "uniform, from Thompson's log", random.log, estimate(bts.log, uniform));
  tell(report, "Thompson's mean policy, from the uniform log", bts.log, estimate(random.log, meanPolicy(bts.log)));
}

function tell(report: Report, name: string, own: BanditLog, found: ReturnType<typeof estimate>): void {
  const truth = clickRate(own);
  const clicks = (what: string, rate: number) => ({ part, name: `${name}: ${what}`, value: 1000 * rate, unit: '‰' });
  report.add(clicks('what it really was', truth));
  for (const estimator of ['ips', 'snips', 'doublyRobust'] as const) {
    const { value, bounds } = found[estimator];
    if (!bounds) throw new Error(`${estimator} has no interval`);
    report.add({ ...clicks(`${estimator}, lower bound`, bounds.lower), target: { atMost: 1000 * truth } });
    report.add(clicks(estimator, value));
    report.add({ ...clicks(`${estimator}, upper bound`, bounds.upper), target: { atLeast: 1000 * truth } });
  }
  const { effectiveSize, places, clippedShare } = found;
  report.add({ part, name: `${name}: places that ${places} are worth`, value: effectiveSize, unit: '' });
  report.add({ part, name: `${name}: weights cut`, value: 100 * clippedShare, unit: '%' });
}
