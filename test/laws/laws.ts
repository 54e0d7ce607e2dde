import { declaringLaws } from './declaring.ts';
import { eventLaws } from './events.ts';
import { exemption, judge, type Law, type Subject } from './law.ts';
import { learningLaws } from './learning.ts';
import { offeringLaws } from './offering.ts';
import { readingLaws } from './reading.ts';
import { undoingLaws } from './undoing.ts';

/** What every plugin keeps, whatever its algorithm: the obligations of `plugins/contract`, put to the test. */
export const laws: readonly Law[] = [
  ...declaringLaws,
  ...readingLaws,
  ...offeringLaws,
  ...learningLaws,
  ...undoingLaws,
  ...eventLaws,
];

/** The laws that a subject breaks, by name. What it declares is looked at first: without that, the rest cannot run. */
export function brokenLaws(subject: Subject): string[] {
  const broken = (some: readonly Law[]) =>
    some.filter((law) => !exemption(law, subject) && judge(law, subject).length > 0).map(({ name }) => name);
  const declared = broken(declaringLaws);
  return declared.length > 0 ? declared : broken(laws);
}
