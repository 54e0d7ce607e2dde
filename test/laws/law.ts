import { learnsEvents, type Plugin } from '../../plugins/contract/index.ts';
import type { Rating } from './lab.ts';
import { asEvents } from './streams.ts';

/** A plugin under one configuration. */
export interface Subject {
  readonly plugin: Plugin;
  readonly config: { readonly seed: number };
  /** `defaults`, or the one setting that differs: `replay.scope=uniform`. */
  readonly label: string;
}

export interface Law {
  /** A sentence that is true of every plugin that keeps it. */
  readonly name: string;
  /** It asks for quality, not for safety, so only of the default configuration. */
  readonly defaultsOnly?: boolean;
  /** Why it does not apply: follows from what the plugin declares. */
  readonly exempts?: (subject: Subject) => string | undefined;
  /** How it is broken; nothing when it is kept. */
  readonly violations: (subject: Subject) => string[] | Promise<string[]>;
}

/** A stream as a plugin learns it: with events of other kinds for those that learn them. */
export function streamFor({ plugin, config }: Subject, ratings: readonly Rating[]): readonly Rating[] {
  return learnsEvents(plugin, config) ? asEvents(ratings) : ratings;
}

/** What laws make of a subject and only read: made once for all of them, as long as they are asked of one subject. */
export function shared<Made>(make: (subject: Subject) => Made): (subject: Subject) => Made {
  let last: { readonly subject: Subject; readonly made: Made } | undefined;
  return (subject) => {
    if (last?.subject !== subject) last = { subject, made: make(subject) };
    return last.made;
  };
}

export const DEFAULTS = 'defaults';

/** Why a law is not asked of a subject, or undefined when it is. */
export function exemption(law: Law, subject: Subject): string | undefined {
  if (law.defaultsOnly && subject.label !== DEFAULTS) return 'asked of the defaults only';
  return law.exempts?.(subject);
}

/** How a subject breaks a law. A plugin that throws has broken it. */
export async function judge(law: Law, subject: Subject): Promise<string[]> {
  try {
    return await law.violations(subject);
  } catch (error) {
    return [`it throws ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`];
  }
}

/** The first of `violations`, and how many more there are. */
export function few(violations: string[], max = 3): string[] {
  const more = violations.length - max;
  return more > 0 ? [...violations.slice(0, max), `and ${more} more`] : violations;
}
