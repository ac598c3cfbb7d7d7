// Which conversation a volunteer means, who else of the team has it, and whether its mailbox takes one more answer.
import { insistOnRecipient } from '../../crypto/age/age.ts';
import { CodedError } from '../../crypto/errors.ts';
import { REPLIES_A_WEEK } from '../../crypto/mailbox-limits.ts';
import type { NoteAction } from '../../crypto/note.ts';
import type { Order } from '../../crypto/order.ts';
import type { ThreadAddress } from '../../crypto/thread.ts';
import { fullnessOf, othersWith } from '../../volunteer/conversations/cautions.ts';
import { CliError } from '../errors.ts';
import { orderAfter } from '../../volunteer/conversations/conversations.ts';
import { conversationOf, isNoted, isWritten, type Conversation, type Noted } from '../reading/conversations.ts';
import { visibleLine } from '../terminal/terminal.ts';

/** One that can be answered. `language`, `topic`: as its request has them; `order`: of what is written next. */
export type Answerable = {
  readonly id: string;
  readonly address: ThreadAddress;
  readonly language: string;
  readonly topic: string | undefined;
  readonly noted: readonly Noted[];
  readonly lastWords: string;
  readonly order: Order;
};

/**
 * The one with this id, or the only one. Throws CONVERSATION_UNKNOWN when there is none, there are several, or only notes of it are here,
 * ANSWER_UNWANTED when it has no address.
 */
export function answerable(conversations: readonly Conversation[], id: string | undefined): Answerable {
  const { id: found, address, letters } = id === undefined ? onlyOne(conversations) : conversationOf(conversations, id);
  const written = letters.filter(isWritten).map(({ content }) => content);
  const first = written.find(({ kind }) => kind === 'request') ?? written[0];
  if (first === undefined) throw new CliError('CONVERSATION_UNKNOWN', 'only notes on this conversation are here', 'give a letter of it');
  if (address === null) {
    throw new CliError('ANSWER_UNWANTED', 'whoever wrote this wants no answer here', 'if they left a contact, use that');
  }
  const lastWords = written.at(-1)?.message ?? '';
  return {
    id: found,
    address,
    language: first.language,
    topic: first.topic,
    noted: letters.filter(isNoted),
    lastWords,
    order: orderAfter(letters),
  };
}

/** A letter that opened shows only that its recipient has the form of one. Throws ADDRESS_UNUSABLE when nothing can be sealed to it. */
export function insistOnKey({ id, address }: Answerable): void {
  try {
    insistOnRecipient(address.recipient);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    throw new CliError(
      'ADDRESS_UNUSABLE',
      `no answer can be sealed for conversation ${id}: the key that its letters give is not valid`,
      'if they left a contact, use that; tell the administrator; nothing was sent',
    );
  }
}

function onlyOne(conversations: readonly Conversation[]): Conversation {
  const open = conversations.filter(({ address }) => address !== null);
  if (open.length > 1) {
    throw new CliError(
      'CONVERSATION_UNKNOWN',
      `there are ${String(open.length)} conversations in these letters`,
      'choose one with --conversation; support-relay inbox lists them',
    );
  }
  const [only] = [...open, ...conversations.filter(({ letters }) => letters.some(isWritten)), ...conversations];
  if (only === undefined) {
    throw new CliError('CONVERSATION_UNKNOWN', 'there is no conversation in these letters', 'give the letter that you want to answer');
  }
  return only;
}

const HAS_DONE: Readonly<Record<NoteAction, (to: string) => string>> = {
  answer: () => 'has answered',
  claim: () => 'has taken it',
  handover: (to) => `has handed it over to ${to}`,
};

/** Who else has it, as one line each. */
export function othersHaving({ noted }: Answerable, signer: string, alias: string): string[] {
  return [
    ...new Set(othersWith(noted, signer, alias).map(({ action, from, to }) => `${visibleLine(from)} ${HAS_DONE[action](visibleLine(to))}`)),
  ];
}

/** Why its mailbox takes no answer more this week; null when it does. */
export function fullOf({ noted }: Answerable, signer: string, now: Date): { what: string; advice: string } | null {
  const full = fullnessOf(noted, signer, now);
  if (full === null) return null;
  const [count, whose, advice] =
    full.team >= REPLIES_A_WEEK
      ? [full.team, 'of the team', 'put what there is to say into one longer answer next week']
      : [full.own, 'of yours', 'let a colleague answer, or put what there is to say into one longer answer next week'];
  return {
    what: `${String(count)} answers ${whose} may have gone to this person this week: the relay would accept one more and drop it`,
    advice,
  };
}
