// Everything that was given to the desk to read: what opens goes into conversations, what does not is kept and reported.
import { blake2b, toHex } from '../../crypto/bytes.ts';
import { CodedError } from '../../crypto/errors.ts';
import { openLetter, type LetterContent, type NoteContent } from '../../crypto/letter.ts';
import { checkNote } from '../../crypto/note.ts';
import type { Steps } from '../../crypto/steps.ts';
import { foreignCode } from '../../letters/cautions.ts';
import { converse, NO_CONVERSATIONS, type Opened } from '../../letters/conversations.ts';
import { findLetters } from '../../letters/find.ts';
import { inSlices } from '../slices.ts';
import { bytesOf } from './intake.ts';
import type { Office } from './office.ts';
import { codeOf, Refused, type Refusal, type RefusalCode } from './refusals.ts';

/** `letter`: sealed until a key opens it. */
type Piece = { readonly source: string; readonly mark: string; letter: Uint8Array | LetterContent; refused: RefusalCode | null };

export class Pile {
  /** By the digest of their bytes. */
  readonly #pieces = new Map<string, Piece>();
  /** Files that are no letters; one that is given again is judged anew. */
  readonly #files = new Map<string, Refusal>();
  #found = NO_CONVERSATIONS;

  get conversations() {
    return this.#found.conversations;
  }

  get aliases() {
    return this.#found.aliases;
  }

  get refusals(): Refusal[] {
    return [
      ...this.#files.values(),
      ...[...this.#pieces.values()].flatMap(({ source, refused }) => (refused === null ? [] : [{ source, code: refused }])),
      ...this.#found.refused.map(({ source, error }) => ({ source, code: error.code })),
    ];
  }

  /** How many wait for a key. */
  get waiting(): number {
    return [...this.#pieces.values()].filter(({ letter, refused }) => letter instanceof Uint8Array && refused === null).length;
  }

  refuse(source: string, code: RefusalCode, key = source): void {
    this.#files.set(key, { source, code });
  }

  accept(key: string): void {
    this.#files.delete(key);
  }

  /** Looks for letters in a file; opening them is another thing. */
  async add(source: string, file: File | null): Promise<void> {
    // Two folders may each have a file of this name.
    const key = file === null ? source : [source, file.size, file.lastModified].join('/');
    this.accept(key);
    try {
      const found = await findLetters(await bytesOf(file));
      if (found.length === 0) throw new Refused('LETTER_MISSING');
      for (const [index, letter] of found.entries()) this.#addLetter(found.length === 1 ? source : `${source} (${String(index + 1)})`, letter, `${key}/${String(index)}`);
    } catch (error) {
      this.refuse(source, codeOf(error), key);
    }
  }

  #addLetter(source: string, letter: Uint8Array | CodedError, key: string): void {
    if (letter instanceof CodedError) return this.refuse(source, letter.code, key);
    const mark = toHex(blake2b(32, letter));
    if (!this.#pieces.has(mark)) this.#pieces.set(mark, { source, mark, letter, refused: null });
  }

  /** A note that was written here; the same comes back with the team's letters. */
  addOwn(source: string, note: NoteContent): void {
    this.#pieces.set(note.note.id, { source, mark: note.note.id, letter: note, refused: null });
  }

  /** Opens what can be opened and judges everything anew: a key may have come, or a keyring that revokes a signer. */
  async read(office: Office, now: Date): Promise<void> {
    if (office.identities.length > 0) this.#found = converse(await inSlices(this.#open(office, now)));
  }

  *#open(office: Office, now: Date): Steps<Opened[]> {
    const opened: Opened[] = [];
    for (const piece of this.#pieces.values()) {
      try {
        if (piece.letter instanceof Uint8Array) piece.letter = openLetter(piece.letter, office.identities);
        const { source, mark, letter: content } = piece;
        const keyring = office.keyringOf(content.serial, content.keyring);
        if (keyring === null) throw new Refused(foreignCode(content));
        if (content.kind === 'note') checkNote(content.note, office.signers(now));
        if (content.kind !== 'cover') opened.push({ source, mark, content, keyring });
        piece.refused = null;
      } catch (error) {
        piece.refused = codeOf(error);
      }
      yield opened.length;
    }
    return opened;
  }
}
