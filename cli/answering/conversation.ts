// Which conversation a volunteer means, who else of the team has it, and whether its mailbox takes one more answer.
import { checkRecipient } from '../../crypto/age/age.ts';
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

/** A conversation that can be answered. `language`, `topic`: those of its request; `order`: that of what is written next. */
export type Answerable = {
  readonly id: string;
  readonly address: ThreadAddress;
  readonly language: string;
  readonly topic: string | undefined;
  readonly noted: readonly Noted[];
  readonly lastMessage: string;
  readonly order: Order;
};

/**
 * The conversation with this id, or the only one. Throws CONVERSATION_UNKNOWN when there is none, there are several, or all its
 * letters are notes; ANSWER_UNWANTED when it has no address.
 */
export function answerable(conversations: readonly Conversation[], id: string | undefined): Answerable {
  const conversation = id === undefined ? onlyOne(conversations) : conversationOf(conversations, id);
  const { address, letters } = conversation;
  const written = letters.filter(isWritten).map(({ content }) => content);
  const first = written.find(({ kind }) => kind === 'request') ?? written[0];
  if (first === undefined) throw new CliError('CONVERSATION_UNKNOWN', 'only notes on this conversation are here', 'give a letter of it');
  if (address === null) {
    throw new CliError('ANSWER_UNWANTED', 'whoever wrote this wants no answer here', 'if they left a contact, use that');
  }
  const lastMessage = written.at(-1)?.message ?? '';
  return {
    id: conversation.id,
    address,
    language: first.language,
    topic: first.topic,
    noted: letters.filter(isNoted),
    lastMessage,
    order: orderAfter(letters),
  };
}

/**
 * Throws ADDRESS_UNUSABLE when no answer can be sealed to the address: opening a letter checks only that the
 * recipient is well-formed.
 */
export function insistOnKey({ id, address }: Answerable): void {
  try {
    checkRecipient(address.recipient);
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
  const withAddress = conversations.filter(({ address }) => address !== null);
  if (withAddress.length > 1) {
    throw new CliError(
      'CONVERSATION_UNKNOWN',
      `there are ${String(withAddress.length)} conversations in these letters`,
      'choose one with --conversation; support-relay inbox lists them',
    );
  }
  const withMessage = conversations.filter(({ letters }) => letters.some(isWritten));
  // Without an address the caller says why it cannot be answered.
  const [only] = [...withAddress, ...withMessage, ...conversations];
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

/** Who else has the conversation: a line for each. */
export function othersHaving({ noted }: Answerable, signer: string, alias: string): string[] {
  const lines = othersWith(noted, signer, alias).map(({ action, from, to }) => `${visibleLine(from)} ${HAS_DONE[action](visibleLine(to))}`);
  return [...new Set(lines)];
}

export type MailboxFull = { readonly what: string; readonly advice: string };

/** Why the conversation's mailbox takes no more answers this week; null when it does. */
export function fullOf({ noted }: Answerable, signer: string, now: Date): MailboxFull | null {
  const full = fullnessOf(noted, signer, now);
  if (full === null) return null;
  const wait = 'put what there is to say into one longer answer next week';
  const what = (count: number, whose: string): string =>
    `${String(count)} answers ${whose} may have gone to this person this week: the relay would accept one more and drop it`;
  if (full.team >= REPLIES_A_WEEK) return { what: what(full.team, 'of the team'), advice: wait };
  return { what: what(full.own, 'of yours'), advice: `let a colleague answer, or ${wait}` };
}
