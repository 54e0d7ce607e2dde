import { AccreteError } from '../../server/errors.ts';
import type { DeviceSetting } from '../../server/tensor/choose.ts';
import { DeviceHandle } from '../../server/tensor/device-handle.ts';

/** Opens the device that is named, and says what came of it. */

const start = { setting: process.argv[2] as DeviceSetting, budgetBytes: 2 ** 20 };
try {
  const handle = await DeviceHandle.open(start, () => {});
  console.log(JSON.stringify({ chosen: handle.chosen, isThread: handle.connect() !== undefined }));
} catch (error) {
  console.log(JSON.stringify(AccreteError.wrap(error)));
}
process.exit();
