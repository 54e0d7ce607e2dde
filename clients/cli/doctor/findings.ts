/** What a look at a server or a data folder found. */
export interface Finding {
  /** Only `attention` makes the command fail. */
  readonly level: 'ok' | 'note' | 'attention';
  /** What it is about: "memory". */
  readonly subject: string;
  readonly text: string;
  /** What helps; "" if nothing is to be done. */
  readonly advice: string;
}

export function ok(subject: string, text: string): Finding {
  return { level: 'ok', subject, text, advice: '' };
}

export function note(subject: string, text: string, advice = ''): Finding {
  return { level: 'note', subject, text, advice };
}

export function attention(subject: string, text: string, advice: string): Finding {
  return { level: 'attention', subject, text, advice };
}
