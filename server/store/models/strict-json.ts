/** Every text, and what tells objects from lists, of a JSON that is known to be one. */
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:]/g;

/** Whoever looks at it afterwards goes into it by recursion. */
const DEPTH_MAX = 32;

/**
 * Reads JSON whose objects have no key twice: of such, other readers may take another one than we do; and that is nested no
 * deeper than settings are. Throws SyntaxError.
 */
export function parseStrictly(text: string): unknown {
  const value: unknown = JSON.parse(text);
  /** Keys of the objects that are open; undefined for a list. */
  const open: (Set<unknown> | undefined)[] = [];
  let last = '';
  for (const [token] of text.matchAll(TOKENS)) {
    if (token === '{' || token === '[') {
      open.push(token === '{' ? new Set() : undefined);
      if (open.length > DEPTH_MAX) throw new SyntaxError(`it is nested deeper than ${DEPTH_MAX} levels`);
    } else if (token === '}' || token === ']') open.pop();
    else if (token === ':') addKey(open.at(-1), JSON.parse(last));
    else last = token;
  }
  return value;
}

function addKey(keys: Set<unknown> | undefined, key: unknown): void {
  if (keys?.has(key)) throw new SyntaxError(`it has the key ${JSON.stringify(key)} twice`);
  keys?.add(key);
}
