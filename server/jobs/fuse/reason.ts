import { type Decision, type GuardTerms, USERS_MIN } from './decision.ts';

/** Why a guard decided so, in words for who asked: the numbers, and what to do. */
export function reasonOf(decision: Omit<Decision, 'reason'>, terms: GuardTerms): string {
  const { verdict, difference, interval, live, marginLeft, count, userCount } = decision;
  if (!interval || verdict === 'few') {
    const remedy = 'judge by more events (guard.window_events), or wait for more users';
    return `Only ${userCount} users stand behind the ${count} events, and ${USERS_MIN} are needed to tell models apart: ${remedy}`;
  }
  const range = `95% interval ${signed(interval.lower)} to ${signed(interval.upper)}`;
  const found = `over ${count} events of ${userCount} users its mean loss is ${beside(difference)} the live model's ${text(live)} (${range})`;
  const tolerated = toleratedOf(decision, terms);
  const accept = acceptance(terms.spent + interval.upper / live);
  switch (verdict) {
    case 'better':
      return `The candidate is better: ${found}; the whole margin is there again`;
    case 'tolerated':
      return `The candidate is no worse than is tolerated: ${found}, within ${tolerated}; ${text(marginLeft)} is left until a candidate is better by itself`;
    case 'worse':
      return `The candidate is worse: ${found}, beyond ${tolerated}. The live model stays: make the candidate otherwise${accept}`;
    case 'unsure':
      return `The candidate may be worse than is tolerated: ${found}, beyond ${tolerated}. The live model stays: judge by more events (guard.window_events), try again when there are more${accept}`;
  }
}

function toleratedOf({ margin }: Pick<Decision, 'margin'>, { margin: share, spent }: GuardTerms): string {
  const whole = `${text(100 * share)}% of the live model's`;
  return spent > 0 ? `${text(margin)}, what earlier promotions left of ${whole}` : `${text(margin)}, ${whole}`;
}

/** With what margin the candidate would pass, rounded up; "" where no margin is enough. */
function acceptance(share: number): string {
  const margin = Math.ceil(1e4 * share) / 1e4;
  return margin <= 1 ? `, or accept it with a guard.margin of ${text(margin)}` : '';
}

function text(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function signed(value: number): string {
  return value > 0 ? `+${text(value)}` : text(value);
}

function beside(difference: number): string {
  if (difference === 0) return 'equal to';
  return `${text(Math.abs(difference))} ${difference > 0 ? 'above' : 'below'}`;
}
