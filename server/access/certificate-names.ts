import type { PeerCertificate } from 'node:tls';

/** The names that a verified certificate gives its owner, as the file of the clients writes them, the surest first. */
export function namesOf({ subject, subjectaltname }: PeerCertificate): string[] {
  const names = splitAlternatives(subjectaltname ?? '').flatMap(([type, value]) => {
    const prefix = PREFIX_OF[type];
    return prefix === undefined ? [] : [`${prefix}:${value}`];
  });
  const common: unknown = subject?.CN;
  return [...names, ...[common].flat().flatMap((name) => (typeof name === 'string' ? [`cn:${name}`] : []))];
}

const PREFIX_OF: Readonly<Record<string, string>> = { DNS: 'dns', URI: 'uri', email: 'email' };

/** `DNS:a, URI:"b, DNS:c"`: a name with a comma or a quote in it is JSON in Node's text, so that none can pretend to be two. */
function splitAlternatives(text: string): [type: string, value: string][] {
  const found: [string, string][] = [];
  const entry = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/y;
  for (let match = entry.exec(text); match; match = entry.exec(text)) {
    const [, type, value] = match;
    found.push([type, value.startsWith('"') ? (JSON.parse(value) as string) : value]);
    if (entry.lastIndex >= text.length) break;
  }
  return found;
}
