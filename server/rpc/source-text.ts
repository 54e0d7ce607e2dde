import type { FuseSource } from '../../proto/gen/accrete/v1/fuse.ts';

/** A source of a Fuse, as the configuration and the command line name it: a model, `version:N`, `file:NAME`. */
export function sourceText({ source }: FuseSource): string {
  if (!source) return '';
  return source.$case === 'model' ? source.value : `${source.$case}:${source.value}`;
}

/** What `sourceText` says. */
export function parseSource(text: string): FuseSource {
  const [, $case = 'model', value = ''] = /^(?:(model|version|file|address):)?(.*)$/s.exec(text) ?? [];
  return { source: { $case: $case as 'model', value } };
}
