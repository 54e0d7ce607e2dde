import { readFileSync } from 'node:fs';
import { isNode, LineCounter, parseDocument } from 'yaml';
import { createLayer, type FindPlace, type Layer, refuse, show } from './layer.ts';
import { configJsonSchema, findNearestPath, type SchemaNode, settings } from './settings.ts';

const FILE_BYTES_MAX = 2 ** 20;

/** Reads a configuration file: YAML 1.2, hence JSON too. */
export function readFile(file: string): Layer {
  const layer = createLayer('file');
  try {
    const bytes = readFileSync(file);
    if (bytes.length <= FILE_BYTES_MAX) readYaml(file, bytes.toString(), layer);
    else refuse(layer, file, `the file is longer than ${FILE_BYTES_MAX} bytes`);
  } catch (error) {
    refuse(layer, file, `the file cannot be read: ${(error as Error).message}`);
  }
  return layer;
}

/** Takes a configuration as the nested object that a file would hold; what is undefined or an empty section sets nothing. */
export function readTree(tree: unknown, findPlace: FindPlace, layer = createLayer('file')): Layer {
  readSection(tree, configJsonSchema, []);
  return layer;

  function readSection(content: unknown, section: SchemaNode, path: readonly string[]): void {
    if (content === null || content === undefined) return;
    if (typeof content === 'object' && !Array.isArray(content)) {
      for (const [key, value] of Object.entries(content)) readKey(key, value, section, [...path, key]);
      return;
    }
    const place = findPlace(path);
    refuse(layer, path.join('.') || place, `${place} holds ${show(content)}; it takes keys and values`);
  }

  function readKey(key: string, value: unknown, section: SchemaNode, path: readonly string[]): void {
    const name = path.join('.');
    if (!Object.hasOwn(section.properties ?? {}, key)) {
      refuse(layer, name, `${findPlace(path)} has a key that is not known; ${suggestKey(name)}`);
      return;
    }
    const node = section.properties?.[key] as SchemaNode;
    if (node.properties) readSection(value, node, path);
    else if (value !== undefined) layer.entries.set(name, { value, findPlace });
  }
}

function readYaml(file: string, text: string, layer: Layer): void {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const placeOf = (offset: number): string => `${file}:${lines.linePos(offset).line}`;
  const mistakes = [...document.errors, ...document.warnings];
  for (const { message, pos } of mistakes) refuse(layer, placeOf(pos[0]), `this is not YAML: ${message}`);
  if (mistakes.length > 0) return;
  const tree: unknown = document.toJS();
  JSON.stringify(tree); // throws where an alias makes a value contain itself
  const findPlace: FindPlace = (path) => {
    const node = document.getIn(path, true);
    if (isNode(node) && node.range) return placeOf(node.range[0]);
    return path.length > 0 ? findPlace(path.slice(0, -1)) : file; // a key that is missing: where it should stand
  };
  readTree(tree, findPlace, layer);
}

/** A dotted key has its meaning everywhere but in a file. */
function suggestKey(name: string): string {
  const setting = settings.get(name);
  if (setting) return `write it as a section: \`${name.replace('.', ':` and in it `')}\``;
  return `the nearest known one is \`${findNearestPath(name, Object.keys(configJsonSchema.properties ?? {}))}\``;
}
