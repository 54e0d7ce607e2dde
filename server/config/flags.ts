import { createLayer, type Layer, parseText, refuse } from './layer.ts';
import { describeAllowed, findNearestPath, settings } from './settings.ts';

/** The flag that names the configuration file; every other flag is the path of a setting. */
const FILE_FLAG = 'config';

/** What the command line says. */
export interface Flags extends Layer {
  /** The file that `--config` names. */
  readonly file: string | undefined;
}

/** Reads `--rating.min=0`, `--rating.min 0` and, for what is true or false, `--reflection`. The last of several wins. */
export function readFlags(args: readonly string[]): Flags {
  const layer = createLayer('flag');
  let file: string | undefined;
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    const [flag, written] = splitFlag(arg);
    if (!flag.startsWith('--')) {
      refuse(layer, arg, 'this argument is not known; settings are written `--key=value`');
      continue;
    }
    const name = flag.slice(2);
    const text = written ?? takeValue(name, rest);
    if (name === FILE_FLAG && text) file = text;
    else readFlag(name, text, layer);
  }
  return { ...layer, file };
}

function readFlag(name: string, text: string | undefined, layer: Layer): void {
  const flag = `--${name}`;
  const setting = settings.get(name);
  if (!setting && name !== FILE_FLAG) {
    refuse(layer, flag, `this flag is not known; the nearest known one is \`--${findNearestPath(name, [FILE_FLAG])}\``);
  } else if (!setting || !text) {
    refuse(layer, flag, `its value is missing; it takes ${setting ? describeAllowed(setting.node) : 'a path'}`);
  } else {
    layer.entries.set(name, { value: parseText(text, setting.node), findPlace: () => flag });
  }
}

function splitFlag(arg: string): [flag: string, value: string | undefined] {
  const end = arg.indexOf('=');
  return end < 0 ? [arg, undefined] : [arg.slice(0, end), arg.slice(end + 1)];
}

/** Takes the value that stands in the next argument, unless that is a flag. */
function takeValue(name: string, rest: string[]): string | undefined {
  const next = rest[0];
  if (settings.get(name)?.node.type === 'boolean' && next !== 'true' && next !== 'false') return 'true';
  return next?.startsWith('--') ? undefined : rest.shift();
}
