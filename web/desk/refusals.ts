// Why something that was given to the desk is not shown among the conversations.
import { CodedError, type ErrorCode } from '../../crypto/errors.ts';
import { Unread, type UnreadCode } from '../../volunteer/finding/unread.ts';
import { element, setVisible } from '../page/page.ts';
import { phrase } from './phrases.ts';

/** KEYRING_FOREIGN (for a note NOTE_FOREIGN): sealed under a keyring that is not known here. */
export type RefusalCode =
  | ErrorCode
  | UnreadCode
  | 'KEYRING_FOREIGN'
  | 'NOTE_FOREIGN'
  | 'LETTER_MISSING'
  | 'FILE_TOO_LARGE'
  | 'FILE_UNREADABLE'
  | 'FOLDER_DROPPED';
export type ReadingRefusal = { readonly source: string; readonly code: RefusalCode };

export class ReadingError extends Error {
  readonly code: RefusalCode;
  constructor(code: RefusalCode) {
    super(code);
    this.code = code;
  }
}

/** The code of a refusal. Rethrows any other error. */
export function codeOf(error: unknown): RefusalCode {
  if (error instanceof CodedError || error instanceof ReadingError || error instanceof Unread) return error.code;
  throw error;
}

/** What is said of a code; of any other, that the letter is damaged. */
const PHRASES: Readonly<Partial<Record<RefusalCode, string>>> = {
  AGE_NO_MATCH: 'refused-no-key',
  KEYRING_FOREIGN: 'refused-foreign',
  NOTE_FOREIGN: 'refused-foreign',
  LETTER_THREAD: 'refused-thread',
  SIGNER_UNKNOWN: 'refused-note',
  SIGNER_SIGNATURE: 'refused-note',
  MINISIGN_FORMAT: 'refused-keyring',
  MINISIGN_KEY: 'refused-keyring',
  MINISIGN_SIGNATURE: 'refused-keyring',
  KEYRING_FORMAT: 'refused-keyring',
  KEYRING_RECIPIENTS: 'refused-faulty',
  KEYRING_CROWDED: 'refused-faulty',
  KEYRING_SIGNERS: 'refused-faulty',
  KEYRING_CHAIN: 'refused-faulty',
  KEYRING_TWICE: 'refused-faulty',
  LETTER_FORMAT: 'refused-format',
  LETTER_MISSING: 'refused-none',
  LETTERS_TOO_MANY: 'refused-many',
  UNREAD_COMPRESSED: 'refused-archive',
  UNREAD_ARCHIVE: 'refused-archive',
  UNREAD_ENCRYPTED: 'refused-encrypted',
  UNREAD_OUTLOOK: 'refused-outlook',
  UNREAD_CODING: 'refused-coding',
  UNREAD_MAIL: 'refused-coding',
  UNREAD_DOCUMENT: 'refused-coding',
  UNREAD_UNKNOWN: 'refused-unknown',
  UNREAD_CUT: 'refused-cut',
  UNREAD_LIMIT: 'refused-limit',
  FILE_TOO_LARGE: 'refused-file',
  FILE_UNREADABLE: 'refused-file',
  FOLDER_DROPPED: 'refused-folder',
};

export function showRefusals(refusals: readonly ReadingRefusal[]): void {
  setVisible({ refused: refusals.length > 0 });
  element('refusals', HTMLElement).replaceChildren(
    ...refusals.map(({ source, code }) => phrase(PHRASES[code] ?? 'refused-damaged', { source, code })),
  );
}
