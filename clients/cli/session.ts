import { type Command, InvalidArgumentError, Option } from 'commander';
import { Connection } from './connection.ts';
import { addCredentialOptions, type CredentialOptions, identityOf } from './credentials.ts';
import { parseNumber } from './import/time.ts';
import { Output } from './output.ts';

/** What every command has: a way to the server, and a place to print. */
export interface Session {
  readonly connection: Connection;
  readonly output: Output;
}

interface SharedOptions extends CredentialOptions {
  readonly address: string;
  readonly json?: boolean;
  /** Seconds. */
  readonly timeout: number;
}

const DEFAULT_ADDRESS = '127.0.0.1:50051';
const TIMEOUT_SECONDS_MAX = 3600;

/** Adds the options that all commands share. */
export function addSharedOptions(program: Command): void {
  const timeout = parseNumberOf({ min: 0.001, max: TIMEOUT_SECONDS_MAX });
  program
    .addOption(
      new Option('--address <address>', 'where the server is: host:port or unix:/path')
        .env('ACCRETE_ADDRESS')
        .default(addressHere(process.env.ACCRETE_LISTEN))
        .argParser(parseAddress),
    )
    .option('--json', 'print one JSON document, or JSON Lines for a stream')
    .option('--timeout <seconds>', 'the longest wait for an answer', timeout, 30);
  addCredentialOptions(program);
}

/** Runs a command's work with a connection that is closed at its end. */
export async function withSession(command: Command, work: (session: Session) => Promise<void>): Promise<void> {
  const { address, json, timeout, ...shown } = command.optsWithGlobals<SharedOptions>();
  const connection = new Connection(address, timeout * 1000, identityOf(address, shown));
  try {
    await work({ connection, output: new Output(json === true) });
  } finally {
    connection.close();
  }
}

/** A parser for numbers between bounds, the bounds included. */
export function parseNumberOf({ min, max, whole = false }: NumberRange): (text: string) => number {
  return (text) => {
    const value = parseNumber(text);
    if (value !== undefined && value >= min && value <= max && (!whole || Number.isInteger(value))) return value;
    const range = min === ANY.min && max === ANY.max ? '' : ` from ${min} to ${max}`;
    throw new InvalidArgumentError(`It takes a ${whole ? 'whole ' : ''}number${range}.`);
  };
}

interface NumberRange {
  readonly min: number;
  readonly max: number;
  readonly whole?: boolean;
}

/** Any number; what it may be is for the server to say. */
export const ANY: NumberRange = { min: -Number.MAX_VALUE, max: Number.MAX_VALUE };

/** What seeds draws. */
export const SEED: NumberRange = { min: 0, max: 2 ** 32 - 1, whole: true };

/** How often one may look at a server that is watched. */
export const EVERY_SECONDS: NumberRange = { min: 0.01, max: 3600 };

/** A parser for lists with commas between their entries; given twice, the lists are joined. */
export function parseList(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(',').filter((entry) => entry !== '')];
}

/** Where a server of this environment is reached from here, as inside its container; all interfaces are this one too. */
export function addressHere(listen = ''): string {
  const isFree = listen === '' || listen.endsWith(':0');
  return isFree ? DEFAULT_ADDRESS : listen.replace(/^0\.0\.0\.0:/, '127.0.0.1:').replace(/^\[::\]:/, '[::1]:');
}

function parseAddress(text: string): string {
  if (text === '') return addressHere(process.env.ACCRETE_LISTEN);
  if (/^unix:.+|:\d{1,5}$/.test(text)) return text;
  throw new InvalidArgumentError('It takes host:port or unix:/path.');
}
