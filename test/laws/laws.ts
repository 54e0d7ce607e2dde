import { declaringLaws } from './declaring.ts';
import { eventLaws } from './events.ts';
import { fusingLaws } from './fusing.ts';
import { exemption, judge, type Law, type Subject } from './law.ts';
import { learningLaws } from './learning.ts';
import { offeringLaws } from './offering.ts';
import { readingLaws } from './reading.ts';
import { refittingLaws } from './refitting.ts';
import { undoingLaws } from './undoing.ts';

/** What every plugin keeps, whatever its algorithm: the obligations of `plugins/contract`, put to the test. */
export const laws: readonly Law[] = [
  ...declaringLaws,
  ...readingLaws,
  ...offeringLaws,
  ...learningLaws,
  ...undoingLaws,
  ...eventLaws,
  ...refittingLaws,
  ...fusingLaws,
];

/** The laws that a subject breaks, by name. What it declares is looked at first: without that, the rest cannot run. */
export async function brokenLaws(subject: Subject): Promise<string[]> {
  const broken = async (some: readonly Law[]) => {
    const names: string[] = [];
    for (const law of some)
      if (!exemption(law, subject) && (await judge(law, subject)).length > 0) names.push(law.name);
    return names;
  };
  const declared = await broken(declaringLaws);
  return declared.length > 0 ? declared : broken(laws);
}
