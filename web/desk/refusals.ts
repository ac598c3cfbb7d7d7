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

function phraseFor(code: RefusalCode): string {
  switch (code) {
    case 'AGE_NO_MATCH':
      return 'refused-no-key';
    case 'KEYRING_FOREIGN':
    case 'NOTE_FOREIGN':
      return 'refused-foreign';
    case 'LETTER_THREAD':
      return 'refused-thread';
    case 'SIGNER_UNKNOWN':
    case 'SIGNER_SIGNATURE':
      return 'refused-note';
    case 'MINISIGN_FORMAT':
    case 'MINISIGN_KEY':
    case 'MINISIGN_SIGNATURE':
    case 'KEYRING_FORMAT':
      return 'refused-keyring';
    case 'LETTER_FORMAT':
      return 'refused-format';
    case 'LETTER_MISSING':
      return 'refused-none';
    case 'LETTERS_TOO_MANY':
      return 'refused-many';
    case 'UNREAD_COMPRESSED':
    case 'UNREAD_ARCHIVE':
      return 'refused-archive';
    case 'UNREAD_ENCRYPTED':
      return 'refused-encrypted';
    case 'UNREAD_OUTLOOK':
      return 'refused-outlook';
    case 'UNREAD_CODING':
    case 'UNREAD_MAIL':
    case 'UNREAD_DOCUMENT':
      return 'refused-coding';
    case 'UNREAD_UNKNOWN':
      return 'refused-unknown';
    case 'UNREAD_CUT':
      return 'refused-cut';
    case 'UNREAD_LIMIT':
      return 'refused-limit';
    case 'FILE_TOO_LARGE':
    case 'FILE_UNREADABLE':
      return 'refused-file';
    case 'FOLDER_DROPPED':
      return 'refused-folder';
    default:
      return 'refused-damaged';
  }
}

export function showRefusals(refusals: readonly ReadingRefusal[]): void {
  setVisible({ refused: refusals.length > 0 });
  element('refusals', HTMLElement).replaceChildren(...refusals.map(({ source, code }) => phrase(phraseFor(code), { source, code })));
}
