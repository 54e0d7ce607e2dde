import { attention, type Finding, note, ok } from './findings.ts';

/** What a server computes whole matrices on: which devices there are, which one a start would take, and why not the others. */
export interface Devices {
  /** The setting `device`. */
  readonly setting: string;
  readonly used: string;
  readonly trials: readonly {
    readonly name: string;
    readonly adapter?: string;
    readonly accelerated?: boolean;
    /** From so many multiplications on it is faster than `cpu`; absent where it never is. */
    readonly crossover?: number;
    readonly why?: string;
    readonly remedy?: string;
  }[];
}

export function examineDevices({ setting, used, trials }: Devices): Finding[] {
  const found = trials.find(({ name }) => name === used);
  const named = setting === 'auto' ? 'found by itself' : 'as it is set';
  const own =
    found?.why !== undefined
      ? attention(
          'device',
          `${used} is set, and cannot be used: ${found.why}`,
          found.remedy ?? 'set device to auto or cpu',
        )
      : ok(
          'device',
          `whole matrices are computed on ${used}${found ? `: ${traitsOf(found)}` : ', which is always there'} (${named})`,
        );
  const others = trials.filter(({ name }) => name !== used);
  return [own, ...others.map(({ name, ...trial }) => examineOther(name, trial, setting))];
}

function traitsOf({ adapter, crossover }: Devices['trials'][0]): string {
  const from =
    crossover === undefined ? 'at no size that was tried' : `from ${crossover.toLocaleString('en')} multiplications on`;
  return `${adapter}, faster than cpu ${from}`;
}

function examineOther(
  name: string,
  { adapter, accelerated, why, remedy }: Omit<Devices['trials'][0], 'name'>,
  setting: string,
) {
  const subject = `device ${name}`;
  if (why === undefined) {
    const reason =
      setting !== 'auto' ? `device is ${setting}` : accelerated ? 'another one comes before it' : 'it is slower';
    return ok(subject, `not used, since ${reason}: ${adapter}; to use it, set device to ${name}`);
  }
  if (remedy === undefined) return note(subject, `not used, since it fails: ${why}`, 'see docs/devices.md');
  return ok(subject, `not used, since ${why}; to get it, ${remedy}`);
}
