// Letters put together into conversations. Nothing in them says when they were written: the order is that of the keyrings.
import { CodedError } from '../../crypto/errors.ts';
import type { LetterContent, NoteContent, WrittenContent } from '../../crypto/letter.ts';
import type { Note } from '../../crypto/note.ts';
import type { ThreadAddress } from '../../crypto/thread.ts';

export type Conversation = {
  /** The thread's key, or something of the letter's own where no answer is wanted. */
  readonly id: string;
  /** Where an answer goes; null when none is wanted, or no letter of the conversation is here yet. */
  address: ThreadAddress | null;
  letters: readonly WrittenContent[];
  notes: readonly NoteContent[];
};

/** Who has done what, as the notes say. */
export type Doings = { answered: Note[]; taken: Note[]; handed: Note[] };

export function doingsOf({ notes }: Conversation): Doings {
  const of = (action: Note['action']): Note[] => notes.map(({ note }) => note).filter((note) => note.action === action);
  return { answered: of('answer'), taken: of('claim'), handed: of('handover') };
}

const RANKS = { request: 0, 'follow-up': 1 } as const;

export class Conversations {
  readonly #all = new Map<string, Conversation>();

  all(): Conversation[] {
    return [...this.#all.values()];
  }

  /**
   * Takes in an opened letter. One that says what another said already (sealed anew, or handed over twice) changes
   * nothing. `mark` names a letter that belongs to no thread. Errors: LETTER_THREAD, for another address in the same thread.
   */
  add(content: Exclude<LetterContent, { kind: 'cover' }>, mark: string): void {
    if (content.kind === 'note') this.#addNote(content);
    else this.#addLetter(content, mark);
  }

  #at(id: string): Conversation {
    const conversation = this.#all.get(id) ?? { id, address: null, letters: [], notes: [] };
    this.#all.set(id, conversation);
    return conversation;
  }

  #addNote(content: NoteContent): void {
    const conversation = this.#at(content.note.thread);
    if (conversation.notes.some(({ note }) => note.id === content.note.id)) return;
    conversation.notes = [...conversation.notes, content].sort((a, b) => a.serial - b.serial);
  }

  #addLetter(content: WrittenContent, mark: string): void {
    const { thread } = content;
    if (thread !== undefined) {
      const known = this.#all.get(thread.key)?.address ?? null;
      if (known !== null && (known.lock !== thread.lock || known.recipient !== thread.recipient)) {
        throw new CodedError('LETTER_THREAD', 'the letter names another address than its conversation has');
      }
      const conversation = this.#at(thread.key);
      conversation.address = { key: thread.key, lock: thread.lock, recipient: thread.recipient };
      // The same words under the same keyring have the same signature.
      if (conversation.letters.some((letter) => letter.thread?.signature === thread.signature)) return;
    }
    const conversation = this.#at(thread?.key ?? mark);
    conversation.letters = [...conversation.letters, content].sort((a, b) => RANKS[a.kind] - RANKS[b.kind] || a.serial - b.serial);
  }
}
