import { constants, setPriority } from 'node:os';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { choose, tryAll } from './tensor/choose.ts';
import { DeviceMeter } from './tensor/device-meter.ts';
import type { DeviceGuest, DeviceNews, DeviceStart } from './tensor/messages.ts';
import { DeviceService } from './tensor/serve-device.ts';

/** The entry of the thread that owns the device. */

const parent = parentPort as MessagePort;
const { setting, names, budgetBytes, meter } = workerData as DeviceStart;
const tell = (news: DeviceNews) => parent.postMessage(news);

// On Linux a priority is a thread's own, and goes on to those that it starts: TensorFlow's give way to whoever serves and
// learns.
if (process.platform === 'linux') setPriority(constants.priority.PRIORITY_LOW);

const { trials, opened } = await tryAll(names, ({ accelerated }) => accelerated);
const backend = choose(setting, opened);
if (backend) {
  const service = new DeviceService(backend, budgetBytes, new DeviceMeter(meter), (why) =>
    tell({ type: 'failed', why }),
  );
  parent.on('message', ({ port }: DeviceGuest) => service.serve(port));
}
tell({ type: 'opened', chosen: trials.find(({ name }) => name === backend?.name), trials });
