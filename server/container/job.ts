import type { Container } from 'inversify';
import type { Device } from '../../plugins/contract/index.ts';
import type { JobContext } from '../jobs/job-context.ts';
import type { JobDevice, JobStart } from '../jobs/messages.ts';
import { type JobProgress, Meter } from '../jobs/meter.ts';
import { Arena } from '../memory/arena.ts';
import { JournalReader } from '../store/journal-reader.ts';
import { DeviceMeter } from '../tensor/device-meter.ts';
import { LocalDevice } from '../tensor/local-device.ts';
import { RemoteDevice } from '../tensor/remote-device.ts';
import { composeShared, journalFolder, REVISIONS, stateFolder, token } from './shared.ts';

export const JOB_CONTEXT = token<JobContext>('JobContext');

/** A thread that works beside the stream; `onProgress` hears how far it is, `onWarning` what it goes on without. */
export function composeJob(
  { config, settings, memory, device }: JobStart,
  onProgress: (progress: JobProgress) => void,
  onWarning: (what: string) => void,
): Container {
  const arena = new Arena(memory);
  const container = composeShared(config, arena);
  container.bind(JOB_CONTEXT).toDynamicValue((context) => {
    const revisions = context.get(REVISIONS);
    const journal = new JournalReader(journalFolder(config.data), () => revisions.learned);
    return {
      config,
      settings,
      journal,
      meter: new Meter(onProgress),
      warn: onWarning,
      arena,
      revisions,
      stateFolder: stateFolder(config.data),
      device: deviceOf(device, config.memory.deviceMiB * 2 ** 20),
    };
  });
  return container;
}

function deviceOf({ traits, port, meter: buffer }: JobDevice, budgetBytes: number): Device {
  const meter = new DeviceMeter(buffer);
  const here = new LocalDevice(budgetBytes, meter);
  return port ? new RemoteDevice(traits, port, meter, here) : here;
}
