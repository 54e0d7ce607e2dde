import { type ExportRatingsRequest, ExportRatingsResponse } from '../../proto/gen/accrete/v1/user.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { Gate } from '../serving/serving.ts';
import { encodeMessage } from './encoding.ts';
import { progressMessage } from './progress-message.ts';
import { requireRange } from './revision-range.ts';
import type { CallContext, StreamMethod } from './service.ts';

/** UserService.ExportRatings: a job makes the messages, already encoded; they are sent as fast as they are taken. */
export function exportRatingsMethod(gate: Gate, jobs: Jobs): StreamMethod {
  async function* answer(request: ExportRatingsRequest, call: CallContext): AsyncGenerator<Uint8Array> {
    const { revisions } = await gate.enter(() => call.signal);
    const task = requireRange(request, revisions.learned);
    for await (const step of jobs.run('export', task, call.signal)) {
      if (step.type === 'item') yield* step.item;
      else yield encodeMessage(ExportRatingsResponse, progressEvent(progressMessage(step.progress)));
    }
  }
  return {
    type: 'stream',
    answer,
    encode: (message: Uint8Array) => Buffer.from(message.buffer, message.byteOffset, message.length),
  };
}

const progressEvent = (value: ReturnType<typeof progressMessage>): ExportRatingsResponse => ({
  event: { $case: 'progress', value },
});
