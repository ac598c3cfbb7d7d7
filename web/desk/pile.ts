// Everything that was given to the desk to read: what opens goes into conversations, what does not is kept and reported.
import { blake2b, toHex } from '../../crypto/bytes.ts';
import { openLetter, type LetterContent, type NoteContent } from '../../crypto/letter.ts';
import type { Steps } from '../../crypto/steps.ts';
import { foreignCode } from '../../volunteer/conversations/cautions.ts';
import { groupIntoConversations, NO_CONVERSATIONS, type OpenedLetter } from '../../volunteer/conversations/conversations.ts';
import { rankOf, spoiledCopies, type Copy } from '../../volunteer/finding/copies.ts';
import { findLetters, type Found } from '../../volunteer/finding/find.ts';
import { keyringOf, shownOf } from '../../volunteer/trust.ts';
import { inSlices } from '../page/slices.ts';
import { readBytes } from './intake.ts';
import type { Office } from './office.ts';
import { codeOf, ReadingError, type ReadingRefusal, type RefusalCode } from './refusals.ts';

/** `letter`: sealed until a key opens it. */
type Piece = {
  readonly source: string;
  readonly mark: string;
  letter: Uint8Array | LetterContent;
  refused: RefusalCode | null;
  unsent?: boolean;
};
/** What one file held; `mark` is null of what is no letter. */
type Part = { readonly source: string; readonly found: Found; readonly mark: string | null };

export class Pile {
  /** By the digest of their bytes. */
  readonly #pieces = new Map<string, Piece>();
  readonly #parts = new Map<string, readonly Part[]>();
  /** Files that are no letters; one that is given again is judged anew. */
  readonly #files = new Map<string, ReadingRefusal>();
  #found = NO_CONVERSATIONS;

  get conversations() {
    return this.#found.conversations;
  }

  get aliases() {
    return this.#found.aliases;
  }

  get refusals(): ReadingRefusal[] {
    const own = [...this.#pieces.values()].filter(({ letter }) => !(letter instanceof Uint8Array) && letter.kind === 'note');
    const told = new Set<string>();
    const letters = [...this.#parts.values()].flatMap((parts) => this.#refusalsOf(parts, told));
    return [
      ...this.#files.values(),
      ...letters,
      ...own.flatMap(({ source, mark, refused }) => (refused === null || told.has(mark) ? [] : [{ source, code: refused }])),
      ...this.#found.refused.map(({ source, error }) => ({ source, code: error.code })),
    ];
  }

  /** How many letters there are that say nothing and are there to be passed over. */
  get covers(): number {
    return [...this.#pieces.values()].filter(({ letter }) => !(letter instanceof Uint8Array) && letter.kind === 'cover').length;
  }

  /** But for a copy of a letter that is whole: spoiled on its way, it says nothing new. `told`: of which letters it was said. */
  #refusalsOf(parts: readonly Part[], told: Set<string>): ReadingRefusal[] {
    const copies = new Map<Part, Copy>();
    for (const part of parts) {
      const { found } = part;
      if (found.kind !== 'unread') copies.set(part, { bytes: found.bytes, via: found.via, rank: this.#rankOf(part) });
    }
    const spoiled = spoiledCopies([...copies.values()]);
    return parts.flatMap((part) => {
      const copy = copies.get(part);
      const code = this.#codeOf(part);
      if (code === null || (copy !== undefined && spoiled.has(copy)) || (part.mark !== null && told.has(part.mark))) return [];
      if (part.mark !== null) told.add(part.mark);
      return [{ source: part.source, code }];
    });
  }

  #codeOf({ found, mark }: Part): RefusalCode | null {
    return found.kind === 'letter' ? (this.#pieces.get(mark ?? '')?.refused ?? null) : found.error.code;
  }

  /** A letter that waits for its key is whole, as far as anybody knows. */
  #rankOf(part: Part): number {
    const piece = this.#pieces.get(part.mark ?? '');
    return piece !== undefined && piece.letter instanceof Uint8Array && piece.refused === null
      ? rankOf('AGE_NO_MATCH')
      : rankOf(this.#codeOf(part));
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
    this.#parts.delete(key);
    try {
      const found = await findLetters(await readBytes(file), source);
      if (found.length === 0) throw new ReadingError('LETTER_MISSING');
      this.#parts.set(
        key,
        found.map((each, index) => this.#keep(found.length === 1 ? source : `${source} (${String(index + 1)})`, each)),
      );
    } catch (error) {
      this.refuse(source, codeOf(error), key);
    }
  }

  #keep(source: string, found: Found): Part {
    if (found.kind !== 'letter') return { source, found, mark: null };
    const mark = toHex(blake2b(32, found.bytes));
    if (!this.#pieces.has(mark)) this.#pieces.set(mark, { source, mark, letter: found.bytes, refused: null });
    return { source, found, mark };
  }

  /** A note that was sealed here, and is unsent until `sent`; the same comes back with the team's letters. */
  addOwn(source: string, note: NoteContent): void {
    this.#pieces.set(note.note.id, { source, mark: note.note.id, letter: note, refused: null, unsent: true });
  }

  sent({ note }: NoteContent): void {
    const piece = this.#pieces.get(note.id);
    if (piece !== undefined) piece.unsent = false;
  }

  /** Opens what can be opened and judges everything anew: a key may have come, or a keyring that revokes a signer. */
  async read(office: Office, now: Date): Promise<void> {
    if (office.identities.length > 0) this.#found = groupIntoConversations(await inSlices(this.#open(office, now)));
  }

  *#open(office: Office, now: Date): Steps<OpenedLetter[]> {
    const opened: OpenedLetter[] = [];
    for (const piece of this.#pieces.values()) {
      try {
        if (piece.letter instanceof Uint8Array) piece.letter = openLetter(piece.letter, office.identities);
        const { source, mark, letter: content, unsent = false } = piece;
        const keyring = keyringOf(content, office.keyrings);
        if (keyring === null) throw new ReadingError(foreignCode(content));
        const shown = shownOf(content, office.keyrings, now);
        if (shown !== null) opened.push({ source, mark, content: shown, keyring, unsent });
        piece.refused = null;
      } catch (error) {
        piece.refused = codeOf(error);
      }
      yield opened.length;
    }
    return opened;
  }
}
