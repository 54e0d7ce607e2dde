import { readFileSync } from 'node:fs';
import { type ChannelCredentials, Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { type ExportModelResponse, ModelServiceService } from '../../proto/gen/accrete/v1/model.ts';
import type { PeerConfig } from '../config/peers.ts';
import { AccreteError, invalidField } from '../errors.ts';
import type { Imports } from '../serving/imports.ts';
import type { ProgressFacts } from './progress-message.ts';

/** Models of other servers: fetched by ExportModel from addresses that are configured, and kept as an import is. */

const ADDRESS = /^(.+:\d{1,5})\/([a-z][a-z0-9_.-]{0,62})$/;
const DETAILS_MAX = 200;
const TELL_MS = 500;
const MESSAGE_BYTES_MAX = 2 ** 20;

export type Peers = Readonly<Record<string, PeerConfig>>;

/** Whose model an address is. Throws INVALID_FIELD: nobody connects to what is not configured. */
export function requirePeer(peers: Peers, address: string, field: string) {
  const [, server = '', model = ''] = ADDRESS.exec(address) ?? [];
  const peer = Object.hasOwn(peers, server) ? peers[server] : undefined;
  if (model === '') throw invalidField(field, 'is no model of a server: send host:port/model');
  if (!peer) throw invalidField(field, 'is of a server that is none of `peers` in the configuration of this one');
  return { server, model, peer };
}

/**
 * Fetches a model as an import of the name `file`, with its progress; it is checked as any that is imported. When this ends, also
 * before its end, nothing comes any more. Throws INVALID_FIELD, PEER_FAILED, and what `Imports.receive` throws.
 */
export async function* fetchModel(
  peers: Peers,
  address: string,
  field: string,
  file: string,
  imports: Imports,
  signal: AbortSignal,
): AsyncGenerator<ProgressFacts> {
  const { server, model, peer } = requirePeer(peers, address, field);
  const client = new Client(server, channelOf(server, peer), {
    'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
    'grpc.enable_retries': 0,
    'grpc.use_local_subchannel_pool': 1,
  });
  const end = new AbortController();
  const both = AbortSignal.any([signal, end.signal]);
  let kept: Promise<unknown> | undefined;
  try {
    const contents = receive(client, { server, model, peer }, imports.idleMs, both);
    const { value: header } = await contents.next();
    if (header?.$case !== 'header') throw peerFailed(server, 'it sent no file');
    const { bytes, sha256 } = header.value;
    if (!/^[0-9a-f]{64}$/.test(sha256) || bytes <= 0n || bytes > Number.MAX_SAFE_INTEGER)
      throw peerFailed(server, 'it sent no file that can be taken');
    const total = Number(bytes);
    let completed = 0;
    const chunks = (async function* () {
      for await (const content of contents) {
        if (content.$case !== 'chunk') continue;
        completed += content.value.length;
        yield content.value;
      }
    })();
    let isDone = false;
    kept = imports.receive({ name: file, bytes: total, sha256 }, chunks, both).finally(() => (isDone = true));
    kept.catch(() => {});
    for (;;) {
      yield { phase: 'fetch', completed, total, unit: 'bytes', remainingMs: undefined };
      await Promise.race([kept.catch(() => {}), new Promise((resolve) => setTimeout(resolve, TELL_MS).unref())]);
      if (isDone) break;
    }
    await kept;
  } finally {
    end.abort();
    await kept?.catch(() => {});
    client.close();
  }
}

interface Asked {
  readonly server: string;
  readonly model: string;
  readonly peer: PeerConfig;
}

/** What comes of a file, its header first; ends with PEER_FAILED where nothing comes for too long. */
async function* receive(client: Client, { server, model, peer }: Asked, idleMs: number, signal: AbortSignal) {
  const { path, requestSerialize, responseDeserialize } = ModelServiceService.exportModel;
  const metadata = new Metadata();
  if (peer.tokenFile !== undefined)
    metadata.set('authorization', `Bearer ${read(server, 'tokenFile', peer.tokenFile).toString().trim()}`);
  const request = { name: model, version: '' };
  const answers = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, metadata);
  const late = peerFailed(server, `nothing came for ${idleMs} ms (imports.idleMs)`);
  const timer = setTimeout(() => answers.destroy(late), idleMs);
  const onAbort = () => answers.destroy(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    signal.throwIfAborted();
    for await (const { content } of answers as AsyncIterable<ExportModelResponse>) {
      timer.refresh();
      if (content && content.$case !== 'progress') yield content;
    }
  } catch (error) {
    if (error instanceof AccreteError || signal.aborted) throw error;
    const { code, details = '' } = error as ServiceError;
    throw peerFailed(server, `${status[code] ?? 'it failed'} ${details}`.slice(0, DETAILS_MAX), error);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    answers.cancel();
  }
}

/** Files are read when they are needed, so that what was renewed counts. */
function channelOf(server: string, { tls, ca, certificate, key }: PeerConfig): ChannelCredentials {
  if (!tls && ca === undefined && certificate === undefined) return credentials.createInsecure();
  const file = (setting: string, path: string | undefined) => (path === undefined ? null : read(server, setting, path));
  const files = [file('ca', ca), file('key', key), file('certificate', certificate)] as const;
  try {
    return credentials.createSsl(...files);
  } catch {
    // What OpenSSL says may quote a key.
    throw peerFailed(server, 'its ca, certificate or key in the configuration are none in PEM that fit');
  }
}

function read(server: string, setting: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw peerFailed(server, `the file of its ${setting} in the configuration cannot be read`, cause);
  }
}

function peerFailed(server: string, why: string, cause?: unknown): AccreteError {
  const message = `The model was not fetched from ${server}: ${why}`;
  return new AccreteError('PEER_FAILED', message, { metadata: { peer: server }, cause });
}
