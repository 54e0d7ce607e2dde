/** Every text, and what tells objects from lists, of a JSON that is known to be one. */
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:]/g;

/** Reads JSON whose objects have no key twice: of such, other readers may take another one than we do. Throws SyntaxError. */
export function parseStrictly(text: string): unknown {
  const value: unknown = JSON.parse(text);
  /** Keys of the objects that are open; undefined for a list. */
  const open: (Set<unknown> | undefined)[] = [];
  let last = '';
  for (const [token] of text.matchAll(TOKENS)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(undefined);
    else if (token === '}' || token === ']') open.pop();
    else if (token === ':') addKey(open.at(-1), JSON.parse(last));
    else last = token;
  }
  return value;
}

function addKey(keys: Set<unknown> | undefined, key: unknown): void {
  if (keys?.has(key)) throw new SyntaxError(`it has the key ${JSON.stringify(key)} twice`);
  keys?.add(key);
}
