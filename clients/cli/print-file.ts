import { FileHeader } from '../../proto/gen/accrete/v1/file.ts';
import { formatBytes, type Output } from './output.ts';

/** What was written where; `path` undefined: to standard output, where nothing else may stand. */
export function printFile(header: FileHeader, path: string | undefined, output: Output): void {
  const text = `${header.name}: ${formatBytes(header.bytes)}, sha256 ${header.sha256}`;
  if (path === undefined) output.note(text);
  else
    output.answer({ file: path, ...(FileHeader.toJSON(header) as object) }, () => output.line(`${path} has ${text}`));
}
