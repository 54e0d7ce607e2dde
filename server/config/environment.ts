import { createLayer, type Layer, parseText, refuse } from './layer.ts';
import { findNearestVariable, PREFIX, settings } from './settings.ts';

/** Variables of Accrete that are no settings. */
const OTHER_VARIABLES: ReadonlySet<string> = new Set([
  'ACCRETE_ADDRESS', // where clients find a server, and how they show who they are
  'ACCRETE_TOKEN',
  'ACCRETE_TOKEN_FILE',
  'ACCRETE_CA',
  'ACCRETE_CERT',
  'ACCRETE_KEY',
  'ACCRETE_SERVER_NAME',
  'ACCRETE_SHARED_DATA', // where tests and benchmarks find larger data sets
]);

/**
 * What Kubernetes and Docker add to the environment for a service that is called `accrete`, such as
 * ACCRETE_SERVICE_HOST and ACCRETE_PORT_50051_TCP_ADDR; ACCRETE_PORT itself is known by its value.
 */
const SERVICE_LINK = /_SERVICE_HOST$|_SERVICE_PORT(_[A-Z0-9_]+)?$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/;
const SERVICE_URL = /^(tcp|udp|sctp):\/\//;

const byVariable = new Map([...settings.values()].map((setting) => [setting.variable, setting]));

/** Reads the variables `ACCRETE_…`; an empty one counts as not set. */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>): Layer {
  const layer = createLayer('environment');
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith(PREFIX) || !text || isForeign(variable, text)) continue;
    const setting = byVariable.get(variable);
    if (setting) {
      layer.entries.set(setting.path, { value: parseText(text, setting.node), findPlace: () => variable });
    } else {
      const nearest = findNearestVariable(variable);
      refuse(layer, variable, `this variable is not known; the nearest known one is \`${nearest}\``);
    }
  }
  return layer;
}

function isForeign(variable: string, text: string): boolean {
  if (OTHER_VARIABLES.has(variable) || SERVICE_LINK.test(variable)) return true;
  return variable.endsWith('_PORT') && SERVICE_URL.test(text);
}
