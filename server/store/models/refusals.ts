import { AccreteError } from '../../errors.ts';

/** It is not of the form that docs/model-files.md says, whatever it is. */
export function foreignFile(file: string, what: string, cause?: unknown): AccreteError {
  const message = `${file} is no model file: ${what}. Write it as docs/model-files.md says`;
  return new AccreteError('FILE_FOREIGN', message, { metadata: { file }, cause });
}

/** It is not as it was when it was checked. */
export function damagedFile(file: string, what: string, cause?: unknown): AccreteError {
  const message = `${file} is damaged: ${what}; import it again, from where it came`;
  return new AccreteError('FILE_DAMAGED', message, { metadata: { file }, cause });
}

export function importExists(name: string): AccreteError {
  const message =
    `There is another model file ${name} already: import this one by another name, or remove that one first ` +
    '(DeleteImport)';
  return new AccreteError('IMPORT_EXISTS', message, { metadata: { name } });
}

/** Whom it names is not said: nobody is to keep that. */
export function userForgotten(name: string): AccreteError {
  const message = `${name} names a user who was forgotten while it came: make it again without them, or import it again if it is of somebody new`;
  return new AccreteError('USER_FORGOTTEN', message, { metadata: { name } });
}
