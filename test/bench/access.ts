import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { RecommenderServiceService } from '../../proto/gen/accrete/v1/recommender.ts';
import type { ConfigInput } from '../../server/config/schema.ts';
import { findMovieLensSmall, type Ratings } from '../data.ts';
import { certificatePath, clientCredentials, SERVER_TLS } from '../support/certificates.ts';
import { Client } from '../support/client.ts';
import { ClientsFile } from '../support/clients-file.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { makeFolder } from '../support/temporary-folder.ts';
import { Blast } from './blast.ts';
import { encodeRatings, rateAll } from './rating-stream.ts';
import { recommendRequests } from './recommend-requests.ts';
import { ofRounds, type Report } from './report.ts';
import { readCpuTimes, withServer } from './server.ts';

/** What a call of Recommend costs more where callers are asked who they are: CPU of the thread that answers, in turn. */

const ROUNDS = 7;
const CALLS = 5000;
const IN_FLIGHT = 32;
const TOKEN = 'accrete_a-token-of-as-many-characters-as-those-that-are-made';
const AUTH = { issuer: 'https://issuer.example', audience: 'accrete' };

interface Way {
  readonly name: string;
  readonly config: ConfigInput;
  readonly token?: string;
  readonly ca?: string;
}

interface Round {
  readonly cpuUs: number;
  readonly p99Us: number;
}

export async function benchAccess(report: Report): Promise<void> {
  const blast = Blast.build();
  if (blast.handicap) report.note(blast.handicap);
  report.heading('Recommend with and without credentials, ml-latest-small');
  const { ratings } = findMovieLensSmall();
  if (!ratings) return;
  const ends: (() => unknown)[] = [];
  try {
    const ways = await makeWays({ after: (run) => ends.unshift(run) });
    await compare(report, blast, ratings, ways);
  } finally {
    for (const end of ends) await end();
  }
}

/** The first is what the others are compared with. */
async function makeWays(scope: { after(run: () => unknown): void }): Promise<Way[]> {
  const clients = new ClientsFile(scope, [{ name: 'bench', role: 'admin', token: TOKEN }]).path;
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const jwks = join(makeFolder(scope), 'jwks.json');
  writeFileSync(jwks, JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256' }] }));
  const signed = await new SignJWT({ scope: 'accrete:admin' })
    .setProtectedHeader({ alg: 'ES256' })
    .setSubject('bench')
    .setIssuer(AUTH.issuer)
    .setAudience(AUTH.audience)
    .setExpirationTime('1d')
    .sign(privateKey);
  return [
    { name: 'anyone', config: {} },
    { name: 'a token', config: { auth: { clients } }, token: TOKEN },
    { name: 'a JSON Web Token', config: { auth: { ...AUTH, jwks } }, token: signed },
    {
      name: 'a token and TLS',
      config: { auth: { clients }, tls: SERVER_TLS },
      token: TOKEN,
      ca: certificatePath('authority.crt'),
    },
  ];
}

async function compare(report: Report, blast: Blast, ratings: Ratings, ways: readonly Way[]): Promise<void> {
  const rounds = new Map<Way, Round[]>(ways.map((way) => [way, []]));
  const messages = recommendRequests(ratings, CALLS);
  const measure = async (server: ServerProcess, { token, ca }: Way): Promise<Round> => {
    const path = RecommenderServiceService.recommend.path;
    const before = readCpuTimes(server).serving;
    const load = { address: server.address, path, messages, calls: CALLS, inFlight: IN_FLIGHT };
    const { p99Us } = await blast.run({ ...load, ...(token && { token }), ...(ca && { ca }) });
    return { cpuUs: ((readCpuTimes(server).serving - before) * 1e6) / CALLS, p99Us };
  };
  // All servers at once, so that what else the machine does falls on all of them.
  const start = async (servers: readonly ServerProcess[], [way, ...rest]: readonly Way[]): Promise<void> => {
    if (way)
      return withServer({ rating: { min: 0.5, max: 5 }, ...way.config }, async (server) => {
        await learn(server, way, ratings);
        await start([...servers, server], rest);
      });
    for (let round = 0; round <= ROUNDS; round++)
      for (const [n, each] of ways.entries()) {
        const found = await measure(servers[n], each);
        // In the first round the servers still warm up.
        if (round > 0) rounds.get(each)?.push(found);
      }
  };
  await start([], ways);
  const part = 'access';
  const [first] = ways;
  const base = rounds.get(first) ?? [];
  for (const [way, found] of rounds) {
    const { name } = way;
    report.add({
      part,
      name: `${name}, CPU of the thread that answers`,
      ...ofRounds(found.map(({ cpuUs }) => cpuUs)),
      unit: 'us/call',
    });
    report.add({ part, name: `${name}, p99`, ...ofRounds(found.map(({ p99Us }) => p99Us)), unit: 'us' });
    if (way === first) continue;
    const more = found.map(({ cpuUs }, n) => cpuUs - base[n].cpuUs);
    report.add({ part, name: `${name}, CPU more than for anyone`, ...ofRounds(more), unit: 'us/call' });
  }
}

async function learn({ address }: ServerProcess, { token, ca }: Way, ratings: Ratings): Promise<void> {
  const client = new Client(address, { ...(token && { token }), ...(ca && { channel: clientCredentials() }) });
  try {
    await rateAll(client, encodeRatings(ratings, { batch: 1000 }), 32);
  } finally {
    client.close();
  }
}
