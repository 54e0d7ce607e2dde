import { encodeRecord } from './record.ts';

/** Records that are no ratings: what was decided, as JSON. */
export type Control =
  /** The first record: what the ratings after it were checked by. */
  | { readonly type: 'settings'; readonly rating: { readonly min: number; readonly max: number } }
  /** The disk took records again after a failure. */
  | { readonly type: 'resumed' };

/** A control record that is decided now. */
export function encodeControl(control: Control): Uint8Array {
  const payload = Buffer.from(JSON.stringify(control));
  return encodeRecord({ type: 'control', receivedAtMs: Date.now(), namespace: '', payload });
}

export function decodeControl(payload: Uint8Array): Control {
  return JSON.parse(Buffer.from(payload).toString());
}
