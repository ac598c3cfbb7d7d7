// Which conversation a volunteer means, who else of the team has it, and whether its mailbox takes one more answer.
import type { NoteContent } from '../../crypto/letter.ts';
import type { ThreadAddress } from '../../crypto/thread.ts';
import { REPLIES_A_WEEK, REPLIES_A_WEEK_BY_ONE } from '../../store/mailboxes.ts';
import { CliError } from '../errors.ts';
import { conversationOf, isNoted, isWritten, type Conversation } from '../letters/conversations.ts';
import { visibleLine } from '../terminal.ts';

/** One that can be answered. `language`, `topic`: as its request has them. */
export type Answerable = { readonly id: string; readonly address: ThreadAddress; readonly language: string; readonly topic: string | undefined; readonly notes: readonly NoteContent[] };

/** The one with this id, or the only one. Errors: CONVERSATION_UNKNOWN, ANSWER_UNWANTED. */
export function answerable(conversations: readonly Conversation[], id: string | undefined): Answerable {
  const { id: found, address, letters } = id === undefined ? onlyOne(conversations) : conversationOf(conversations, id);
  const written = letters.filter(isWritten).map(({ content }) => content);
  const first = written.find(({ kind }) => kind === 'request') ?? written[0];
  if (first === undefined) throw new CliError('CONVERSATION_UNKNOWN', 'only notes on this conversation are here', 'give a letter of it');
  if (address === null) throw new CliError('ANSWER_UNWANTED', 'whoever wrote this wants no answer here', 'if they left a contact, use that');
  return { id: found, address, language: first.language, topic: first.topic, notes: letters.filter(isNoted).map(({ content }) => content) };
}

function onlyOne(conversations: readonly Conversation[]): Conversation {
  const open = conversations.filter(({ address }) => address !== null);
  if (open.length > 1) {
    throw new CliError('CONVERSATION_UNKNOWN', `there are ${String(open.length)} conversations in these letters`, 'choose one with --conversation; support-relay inbox lists them');
  }
  const [only] = [...open, ...conversations.filter(({ letters }) => letters.some(isWritten)), ...conversations];
  if (only === undefined) throw new CliError('CONVERSATION_UNKNOWN', 'there is no conversation in these letters', 'give the letter that you want to answer');
  return only;
}

/**
 * Who else has this conversation, as one line each; who has handed it over has it no longer. Letters carry no time: all
 * notes count.
 */
export function takenBy({ notes }: Answerable, signer: string, alias: string): string[] {
  const gaveUp = new Set(notes.filter(({ note }) => note.action === 'handover').map(({ note }) => note.alias));
  const lines = notes.flatMap(({ note: { action, alias: from, to = '', signer: by } }) => {
    if (action === 'handover') return to === alias || gaveUp.has(to) ? [] : [`${visibleLine(from)} has handed it over to ${visibleLine(to)}`];
    if (by === signer || gaveUp.has(from)) return [];
    return [`${visibleLine(from)} ${action === 'answer' ? 'has answered' : 'has taken it'}`];
  });
  return [...new Set(lines)];
}

/**
 * Why the mailbox takes no answer more this week, which the relay cannot tell; null when it does. Letters carry no time: the
 * answers of the week are those under its keyrings. @param serials those of the keyrings that are valid now
 */
export function fullOf({ notes }: Answerable, signer: string, serials: ReadonlySet<number>): { what: string; advice: string } | null {
  const answers = notes.filter(({ serial, note }) => note.action === 'answer' && serials.has(serial));
  const own = answers.filter(({ note }) => note.signer === signer);
  if (answers.length < REPLIES_A_WEEK && own.length < REPLIES_A_WEEK_BY_ONE) return null;
  const [count, whose, advice] = answers.length >= REPLIES_A_WEEK
    ? [answers.length, 'of the team', 'put what there is to say into one longer answer next week']
    : [own.length, 'of yours', 'let a colleague answer, or put what there is to say into one longer answer next week'];
  return { what: `${String(count)} answers ${whose} have gone to this person this week: the relay would accept one more and drop it`, advice };
}
