import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './server-process.ts';

const VERSION = 'v1.9.4';
const FOLDER = join(ROOT, 'build', 'tools', `grpcurl-${VERSION}`);

/** The command grpcurl, built once into build/, or the reason why it is not there. */
export function findGrpcurl(): { path: string; skip: false } | { path: ''; skip: string } {
  const path = join(FOLDER, 'grpcurl');
  if (existsSync(path)) return { path, skip: false };
  mkdirSync(FOLDER, { recursive: true });
  const { error, status, stderr } = spawnSync(
    'go',
    ['install', `github.com/fullstorydev/grpcurl/cmd/grpcurl@${VERSION}`],
    {
      env: { ...process.env, GOBIN: FOLDER, GOFLAGS: '-mod=mod' },
      encoding: 'utf8',
    },
  );
  if (error) return { path: '', skip: `grpcurl is built by go: ${error.message}` };
  if (status !== 0) return { path: '', skip: `go cannot build grpcurl: ${stderr.trim().split('\n').at(-1)}` };
  return { path, skip: false };
}
