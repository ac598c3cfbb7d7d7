// What a volunteer should know before answering: who else has the conversation, whether its mailbox takes one more answer,
// and whether that can be known.
import { GRACE_MS } from '../../crypto/keyring.ts';
import type { LetterContent } from '../../crypto/letter.ts';
import { weekOf } from '../../crypto/mailbox.ts';
import { REPLIES_A_WEEK, REPLIES_A_WEEK_BY_ONE } from '../../crypto/mailbox-limits.ts';
import type { Note, NoteAction } from '../../crypto/note.ts';
import { aliasKey } from './alias.ts';
import type { Noted } from './conversations.ts';
import { holdingNotes } from './holders.ts';

/** By what somebody has a conversation. `from`, `to`: aliases; `to` is empty but for a handover. */
export type Holding = { action: NoteAction; from: string; to: string };

/**
 * Who else has the conversation, and by what. `signer` (64 hex digits) tells which notes are the volunteer's own, `alias` which handovers
 * name the volunteer.
 */
export function othersWith(noted: readonly Noted[], signer: string, alias: string): Holding[] {
  const notes = noted.map(({ content }) => content.note);
  const isOwn = ({ action, to = '', signer: by }: Note): boolean =>
    action === 'handover' ? aliasKey(to) === aliasKey(alias) : by === signer;
  return holdingNotes(notes, (note) => note.signer)
    .filter((note) => !isOwn(note))
    .map(({ action, alias: from, to = '' }) => ({ action, from, to }));
}

/**
 * The alias that this signer (64 hex digits) used last, if it never used `alias` or one that reads alike; null otherwise. To colleagues a
 * signer with two names is reported as something that should not be.
 */
export function formerAlias(noted: readonly Noted[], signer: string, alias: string): string | null {
  const own = noted
    .map(({ content }) => content.note)
    .filter((note) => note.signer === signer)
    .map((note) => note.alias);
  return own.some((former) => aliasKey(former) === aliasKey(alias)) ? null : (own.at(-1) ?? null);
}

/** How many answers, of the whole team and of one's own, are in a mailbox that takes no more this week. */
export type Fullness = { team: number; own: number };

/**
 * Null when the mailbox takes more. Counted from the notes at hand, since the relay cannot tell. A mailbox's week is not a keyring's: an
 * answer counts if its keyring was accepted at any time in the mailbox's week, since it may have been put there then.
 */
export function fullnessOf(noted: readonly Noted[], signer: string, now: Date): Fullness | null {
  const isOfThisWeek = ({ keyring }: Noted): boolean =>
    keyring !== null && weekOf(new Date(Date.parse(keyring.notAfter) + GRACE_MS - 1)) >= weekOf(now);
  const answers = noted
    .filter(isOfThisWeek)
    .map(({ content }) => content.note)
    .filter(({ action }) => action === 'answer');
  const [team, own] = [answers.length, answers.filter((note) => note.signer === signer).length];
  return team >= REPLIES_A_WEEK || own >= REPLIES_A_WEEK_BY_ONE ? { team, own } : null;
}

/**
 * Reasons for a refusal that can hide no colleague's note: it is for somebody else, ordinary mail, no letter at all, a request, or it was
 * read and is not believed. Nobody must be able to hold up the team by sending such a thing.
 */
const HIDES_NOTHING: readonly string[] = [
  ...['AGE_NO_MATCH', 'LETTER_MISSING', 'LETTER_THREAD', 'KEYRING_FOREIGN', 'SIGNER_UNKNOWN', 'SIGNER_SIGNATURE'],
  ...['MINISIGN_FORMAT', 'MINISIGN_KEY', 'MINISIGN_SIGNATURE', 'KEYRING_FORMAT'],
];

/**
 * The code for a letter under an unknown keyring. Only a note can hide one: nobody must be able to hold up the team with such a request.
 */
export function foreignCode({ kind }: LetterContent): 'KEYRING_FOREIGN' | 'NOTE_FOREIGN' {
  return kind === 'note' ? 'NOTE_FOREIGN' : 'KEYRING_FOREIGN';
}

/** Whether what was refused with this code may be a note, so that it is not known who has which conversation. */
export function mayHideNote(code: string): boolean {
  return !HIDES_NOTHING.includes(code);
}
