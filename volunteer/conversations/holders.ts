// Who has a conversation, by the notes on it. Letters carry no time: all notes count, in their order.
import type { Note } from '../../crypto/note.ts';
import { aliasKey } from './alias.ts';

/** Tells the writers of notes apart: by signer, since anybody can write any alias, or by alias, where names are shown. */
export type WriterOf = (note: Note) => string;

/**
 * The notes by which somebody has the conversation, in their order:
 *
 * 1. An answer or a claim gives it to its writer, a handover to the volunteer whom it names.
 * 2. Whoever hands it over gives up what they had by then: an answer or a claim of theirs counts only if it was written after each of
 *    their handovers.
 * 3. So does whoever was handed it and hands it on. A handover names its addressee only by alias, so here writers are compared by alias.
 * 4. Where all addressees have handed it on, nobody knows who had it last, and every handover counts.
 * 5. Where the order of two notes is not known, the handover counts as the later one.
 */
export function holdingNotes(notes: readonly Note[], writerOf: WriterOf): Note[] {
  const handovers = notes.filter(({ action }) => action === 'handover');
  const isHandedOn = (note: Note): boolean =>
    handovers.some((other) => aliasKey(other.alias) === aliasKey(note.to ?? '') && isNotBefore(other, note));
  const isGivenUp = (note: Note): boolean => handovers.some((other) => writerOf(other) === writerOf(note) && isNotBefore(other, note));
  const isLastUnknown = handovers.every(isHandedOn);
  return notes.filter((note) => (note.action === 'handover' ? isLastUnknown || !isHandedOn(note) : !isGivenUp(note)));
}

/** True when the first note is the later one, or their order is not known. */
function isNotBefore({ number = 1 }: Note, { number: than = 1 }: Note): boolean {
  return number >= than;
}
