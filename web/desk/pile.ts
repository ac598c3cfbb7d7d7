// Everything that was given to the desk to read. What opens goes into conversations; the rest is kept and reported.
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

/** `letter`: its bytes until a key opens it, then its content. `mark`: the digest of its bytes in hex, of a note sealed here its id. */
type Kept = {
  readonly source: string;
  readonly mark: string;
  letter: Uint8Array | LetterContent;
  refused: RefusalCode | null;
  unsent?: boolean;
};
/** One thing in a file. `mark`: null for what is not a letter. */
type Find = { readonly source: string; readonly found: Found; readonly mark: string | null };

export class Pile {
  /** Letters by their mark. */
  readonly #kept = new Map<string, Kept>();
  /** What each file holds. */
  readonly #finds = new Map<string, readonly Find[]>();
  /** Files that were refused as a whole. One that is given again is judged again. */
  readonly #files = new Map<string, ReadingRefusal>();
  #grouped = NO_CONVERSATIONS;

  get conversations() {
    return this.#grouped.conversations;
  }

  get aliases() {
    return this.#grouped.aliases;
  }

  get refusals(): ReadingRefusal[] {
    const notes = [...this.#kept.values()].filter(({ letter }) => !(letter instanceof Uint8Array) && letter.kind === 'note');
    const told = new Set<string>();
    const letters = [...this.#finds.values()].flatMap((finds) => this.#refusalsOf(finds, told));
    return [
      ...this.#files.values(),
      ...letters,
      ...notes.flatMap(({ source, mark, refused }) => (refused === null || told.has(mark) ? [] : [{ source, code: refused }])),
      ...this.#grouped.refused.map(({ source, error }) => ({ source, code: error.code })),
    ];
  }

  /** How many cover letters there are. */
  get covers(): number {
    return [...this.#kept.values()].filter(({ letter }) => !(letter instanceof Uint8Array) && letter.kind === 'cover').length;
  }

  /** Without spoiled copies of a better one, which say nothing new. `told`: marks of the letters that are reported already. */
  #refusalsOf(finds: readonly Find[], told: Set<string>): ReadingRefusal[] {
    const copies = new Map<Find, Copy>();
    for (const find of finds) {
      const { found } = find;
      if (found.kind !== 'unread') copies.set(find, { bytes: found.bytes, via: found.via, rank: this.#rankOf(find) });
    }
    const spoiled = spoiledCopies([...copies.values()]);
    return finds.flatMap((find) => {
      const { source, mark } = find;
      const copy = copies.get(find);
      const code = this.#codeOf(find);
      if (code === null || (copy !== undefined && spoiled.has(copy)) || (mark !== null && told.has(mark))) return [];
      if (mark !== null) told.add(mark);
      return [{ source, code }];
    });
  }

  #codeOf({ found, mark }: Find): RefusalCode | null {
    return found.kind === 'letter' ? (this.#kept.get(mark ?? '')?.refused ?? null) : found.error.code;
  }

  /** A letter that waits for a key ranks as whole, as far as is known. */
  #rankOf(find: Find): number {
    const kept = this.#kept.get(find.mark ?? '');
    const isWaiting = kept !== undefined && kept.letter instanceof Uint8Array && kept.refused === null;
    return rankOf(isWaiting ? 'AGE_NO_MATCH' : this.#codeOf(find));
  }

  /** How many letters wait for a key. */
  get waiting(): number {
    return [...this.#kept.values()].filter(({ letter, refused }) => letter instanceof Uint8Array && refused === null).length;
  }

  refuse(source: string, code: RefusalCode, key = source): void {
    this.#files.set(key, { source, code });
  }

  accept(key: string): void {
    this.#files.delete(key);
  }

  /** Looks for letters in a file. `read` opens them. */
  async add(source: string, file: File | null): Promise<void> {
    // Two folders may each have a file of this name.
    const key = file === null ? source : [source, file.size, file.lastModified].join('/');
    this.accept(key);
    this.#finds.delete(key);
    try {
      const found = await findLetters(await readBytes(file), source);
      if (found.length === 0) throw new ReadingError('LETTER_MISSING');
      const nameOf = (index: number): string => (found.length === 1 ? source : `${source} (${String(index + 1)})`);
      const finds = found.map((each, index) => this.#keep(nameOf(index), each));
      this.#finds.set(key, finds);
    } catch (error) {
      this.refuse(source, codeOf(error), key);
    }
  }

  #keep(source: string, found: Found): Find {
    if (found.kind !== 'letter') return { source, found, mark: null };
    const mark = toHex(blake2b(32, found.bytes));
    if (!this.#kept.has(mark)) this.#kept.set(mark, { source, mark, letter: found.bytes, refused: null });
    return { source, found, mark };
  }

  /** Adds a note that was sealed here, unsent until `sent`. The same one comes back with the team's letters. */
  addOwn(source: string, note: NoteContent): void {
    this.#kept.set(note.note.id, { source, mark: note.note.id, letter: note, refused: null, unsent: true });
  }

  sent({ note }: NoteContent): void {
    const kept = this.#kept.get(note.id);
    if (kept !== undefined) kept.unsent = false;
  }

  /** Opens what can be opened and judges everything again: there may be a new key, or a keyring that revokes a signer. */
  async read(office: Office, now: Date): Promise<void> {
    if (office.identities.length > 0) this.#grouped = groupIntoConversations(await inSlices(this.#open(office, now)));
  }

  *#open(office: Office, now: Date): Steps<OpenedLetter[]> {
    const opened: OpenedLetter[] = [];
    for (const kept of this.#kept.values()) {
      try {
        if (kept.letter instanceof Uint8Array) kept.letter = openLetter(kept.letter, office.identities);
        const { source, mark, letter: content, unsent = false } = kept;
        const keyring = keyringOf(content, office.keyrings);
        if (keyring === null) throw new ReadingError(foreignCode(content));
        const shown = shownOf(content, office.keyrings, now);
        if (shown !== null) opened.push({ source, mark, content: shown, keyring, unsent });
        kept.refused = null;
      } catch (error) {
        kept.refused = codeOf(error);
      }
      yield opened.length;
    }
    return opened;
  }
}
