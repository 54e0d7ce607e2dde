import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ROOT } from './server-process.ts';

type Found = { readonly path: string; readonly skip: false } | { readonly path: ''; readonly skip: string };

/** The command grpcurl, or the reason why it is not there. */
export const findGrpcurl = () => findGoTool('github.com/fullstorydev/grpcurl/cmd/grpcurl', 'v1.9.4');

/** The command grpc-health-probe, or the reason why it is not there. */
export const findHealthProbe = () => findGoTool('github.com/grpc-ecosystem/grpc-health-probe', 'v0.4.62');

/** Built once into build/. */
function findGoTool(source: string, version: string): Found {
  const name = basename(source);
  const folder = join(ROOT, 'build', 'tools', `${name}-${version}`);
  const path = join(folder, name);
  if (existsSync(path)) return { path, skip: false };
  mkdirSync(folder, { recursive: true });
  const { error, status, stderr } = spawnSync('go', ['install', `${source}@${version}`], {
    env: { ...process.env, GOBIN: folder, GOFLAGS: '-mod=mod' },
    encoding: 'utf8',
  });
  if (error) return { path: '', skip: `${name} is built by go: ${error.message}` };
  if (status !== 0) return { path: '', skip: `go cannot build ${name}: ${stderr.trim().split('\n').at(-1)}` };
  return { path, skip: false };
}
