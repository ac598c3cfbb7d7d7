// Everything that was given to the desk to read: what opens goes into conversations, what does not is kept and reported.
import { blake2b, toHex } from '../../crypto/bytes.ts';
import { CodedError, type ErrorCode } from '../../crypto/errors.ts';
import { openLetter, type LetterContent } from '../../crypto/letter.ts';
import { checkNote } from '../../crypto/note.ts';
import { findLetters } from '../../letters/find.ts';
import { Conversations } from './conversations.ts';
import type { Office } from './office.ts';

/** KEYRING_FOREIGN: sealed under a keyring that is not known here. */
export type RefusalCode = ErrorCode | 'KEYRING_FOREIGN' | 'LETTER_MISSING' | 'FILE_TOO_LARGE' | 'FILE_UNREADABLE';
export type Refusal = { readonly source: string; readonly code: RefusalCode };

/** More than any message with letters holds. */
const FILE_BYTES_MAX = 16 * 1024 * 1024;

class Refused extends Error {
  readonly code: RefusalCode;
  constructor(code: RefusalCode) {
    super(code);
    this.code = code;
  }
}

function codeOf(error: unknown): RefusalCode {
  if (error instanceof CodedError || error instanceof Refused) return error.code;
  throw error;
}

type Waiting = { readonly source: string; readonly letter: Uint8Array; refused: RefusalCode | null };

export class Pile {
  readonly conversations = new Conversations();
  /** By their digest; opened ones are let go. */
  readonly #waiting = new Map<string, Waiting>();
  readonly #seen = new Set<string>();
  #files: Refusal[] = [];

  get refusals(): Refusal[] {
    return [...this.#files, ...[...this.#waiting.values()].flatMap(({ source, refused }) => (refused === null ? [] : [{ source, code: refused }]))];
  }

  /** How many wait for a key. */
  get waiting(): number {
    return [...this.#waiting.values()].filter(({ refused }) => refused === null).length;
  }

  refuse(source: string, code: RefusalCode): void {
    this.#files.push({ source, code });
  }

  /** Looks for letters in a file; opening them is another thing. */
  async add(source: string, file: Blob): Promise<void> {
    if (file.size > FILE_BYTES_MAX) return this.refuse(source, 'FILE_TOO_LARGE');
    let bytes: Uint8Array;
    try {
      bytes = new Uint8Array(await file.arrayBuffer());
    } catch {
      return this.refuse(source, 'FILE_UNREADABLE');
    }
    const found = await findLetters(bytes);
    if (found.length === 0) this.refuse(source, 'LETTER_MISSING');
    for (const letter of found) {
      if (letter instanceof CodedError) {
        this.refuse(source, letter.code);
        continue;
      }
      const mark = toHex(blake2b(32, letter));
      if (this.#seen.has(mark)) continue;
      this.#seen.add(mark);
      this.#waiting.set(mark, { source, letter, refused: null });
    }
  }

  /** Tries everything that is not open, since a key or a keyring may have come; a pause after each. */
  async open(office: Office, now: Date, pause: () => Promise<void>): Promise<void> {
    if (office.identities.length === 0) return;
    for (const [mark, waiting] of this.#waiting) {
      try {
        const content = openOne(waiting.letter, office, now);
        if (content.kind !== 'cover') this.conversations.add(content, mark);
        this.#waiting.delete(mark);
      } catch (error) {
        waiting.refused = codeOf(error);
      }
      await pause();
    }
  }
}

/** Errors: CodedError of openLetter and checkNote; KEYRING_FOREIGN. */
function openOne(letter: Uint8Array, office: Office, now: Date): LetterContent {
  const content = openLetter(letter, office.identities);
  if (!office.knows(content.serial, content.keyring)) throw new Refused('KEYRING_FOREIGN');
  if (content.kind === 'note') checkNote(content.note, office.signers(now));
  return content;
}
