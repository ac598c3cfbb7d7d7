// Groups letters into conversations: those of one thread, with the team's notes on it. Shared by the command line and the desk.
import { CodedError } from '../../crypto/errors.ts';
import type { Keyring } from '../../crypto/keyring.ts';
import type { LetterOf, NoteContent, WrittenContent } from '../../crypto/letter.ts';
import type { Note, NoteAction } from '../../crypto/note.ts';
import { absentIds, inOrder, latestIds, nextNumber, type Order, type Place } from '../../crypto/order.ts';
import type { ThreadAddress } from '../../crypto/thread.ts';
import { aliasesExcept, aliasKey, distinctAliases } from './alias.ts';
import { holdingNotes } from './holders.ts';

const ID_DIGITS = [8, 16, 32, 64];

/** What is shown of letters. */
export type ShownContent = WrittenContent | NoteContent;

/**
 * An opened letter; a note's signer has been checked. `keyring`: the one it was sealed under, null when there was none to check against.
 * `mark`: 64 hex digits, a digest of its bytes. `source`: where it was found. `unsent`: a note that was sealed here and, as far as is
 * known, not sent yet, so that nobody has been answered by it.
 */
export type OpenedLetter = { source: string; mark: string; content: ShownContent; keyring: Keyring | null; unsent?: boolean };
export type Written = OpenedLetter & { content: WrittenContent };
export type Noted = OpenedLetter & { content: NoteContent };
/**
 * `no-request`: it begins with a follow-up; `no-letters`: there are only notes; `contested`: another conversation names the same mailbox
 * lock or recipient.
 */
export type Remark = 'no-request' | 'no-letters' | 'contested';
/** What is odd about aliases: one signer has several, or several signers share one. */
export type AliasRemark = { kind: 'one-signer' | 'one-alias'; signers: string[]; aliases: string[] };

/** Aliases of volunteers. `checked` is false when there was no keyring to check a signer against: then nobody vouches for them. */
export type ConversationState = { answered: string[]; handed: string[]; taken: string[]; checked: boolean };

export type Conversation = {
  /**
   * The first hex digits of the thread's key (of the letter's mark where no answer is wanted): eight, unless two conversations share
   * them.
   */
  id: string;
  /** Where an answer goes; null when none is wanted, or there are only notes. */
  address: ThreadAddress | null;
  /** In the order of writing, the request first. */
  letters: (Written | Noted)[];
  state: ConversationState;
  remarks: Remark[];
  /** How many answers are mentioned in its letters and are not among them. */
  absent: number;
};

export type Conversations = {
  conversations: Conversation[];
  refused: { source: string; error: CodedError; letter: OpenedLetter }[];
  aliases: AliasRemark[];
};

export const NO_CONVERSATIONS: Conversations = { conversations: [], refused: [], aliases: [] };

/** `refused`: letters that name a conversation and do not belong to it (LETTER_THREAD). */
export function groupIntoConversations(opened: readonly OpenedLetter[]): Conversations {
  const once = withoutCopies(opened);
  const { refused, contested } = mismatchedAddresses(once);
  const threads = new Map<string, OpenedLetter[]>();
  for (const letter of once) {
    if (refused.has(letter)) continue;
    const key = factsOf(letter.content).thread ?? letter.mark;
    const letters = threads.get(key);
    if (letters === undefined) threads.set(key, [letter]);
    else letters.push(letter);
  }
  const idOf = shortestIds([...threads.keys()]);
  return {
    conversations: [...threads].map(([key, letters]) => conversation(idOf(key), letters, contested.has(key))),
    refused: [...refused].map(([letter, error]) => ({ source: letter.source, error, letter })),
    aliases: aliasRemarks(once.filter(isNoted)),
  };
}

/** The place of an answer that is written after reading these letters. */
export function orderAfter(letters: readonly OpenedLetter[]): Order {
  return { number: nextNumber(letters.map((letter) => placeOf(letter).number)), earlier: latestIds(answersIn(letters)) };
}

/** Ids of the answers, in the order of the letters. */
function answersIn(letters: readonly OpenedLetter[]): string[] {
  return letters
    .filter(isNoted)
    .map(({ content }) => content.note)
    .filter(({ action }) => action === 'answer')
    .map(({ id }) => id);
}

/** How many answers were sent, and to how many letters. With fewer answers than letters, somebody may be waiting. */
export function countsOf({ letters }: Conversation): { answers: number; written: number } {
  const answers = letters.filter(isSentNote).filter(({ content }) => content.note.action === 'answer');
  return { answers: answers.length, written: letters.filter(isWritten).length };
}

/**
 * What a conversation has to know of a letter. `signature`: undefined for a letter without a thread; `mentioned`: short ids of the answers
 * that its writer knew.
 */
type Facts = {
  readonly by: 'requester' | 'volunteer';
  readonly thread: string | undefined;
  readonly signature: string | undefined;
  readonly id: string | undefined;
  readonly number: number | undefined;
  readonly mentioned: readonly string[];
};

/** A request has no number of its own and counts as 0. A requester's letters are told apart by the thread's signature, so it is the id. */
const FACTS: { readonly [K in ShownContent['kind']]: (content: LetterOf<K>) => Facts } = {
  request: ({ thread }) => ({
    by: 'requester',
    thread: thread?.key,
    signature: thread?.signature,
    id: thread?.signature,
    number: 0,
    mentioned: [],
  }),
  'follow-up': ({ thread: { key, signature }, number, read = [] }) => ({
    by: 'requester',
    thread: key,
    signature,
    id: signature,
    number,
    mentioned: read,
  }),
  note: ({ note: { thread, signature, id, number, earlier = [] } }) => ({
    by: 'volunteer',
    thread,
    signature,
    id,
    number,
    mentioned: earlier,
  }),
};

function factsOf<K extends ShownContent['kind']>(content: LetterOf<K>): Facts {
  return FACTS[content.kind](content);
}

export function isWritten(letter: OpenedLetter): letter is Written {
  return factsOf(letter.content).by === 'requester';
}

export function isNoted(letter: OpenedLetter): letter is Noted {
  return factsOf(letter.content).by === 'volunteer';
}

function isSentNote(letter: OpenedLetter): letter is Noted {
  return isNoted(letter) && letter.unsent !== true;
}

/**
 * Each letter once. One that a colleague sealed again has other bytes, but the same signature. The copy under the oldest keyring stays; a
 * note of one's own that came back has been sent.
 */
function withoutCopies(opened: readonly OpenedLetter[]): OpenedLetter[] {
  const signature = ({ content, mark }: OpenedLetter): string => factsOf(content).signature ?? mark;
  const once = new Map<string, OpenedLetter>();
  for (const letter of opened) {
    const known = once.get(signature(letter));
    if (known === undefined || known.unsent === true || letter.content.serial < known.content.serial) once.set(signature(letter), letter);
  }
  return [...once.values()];
}

/**
 * `refused`: letters whose address differs from the one in their thread's request, or else in the first letter of the thread. `contested`:
 * threads that name the same mailbox lock or recipient as another one. They are kept: an answer to one cannot reach the other's mailbox,
 * whose id also depends on the thread's key, and if they were refused, anybody could silence a writer by naming their lock.
 */
function mismatchedAddresses(opened: readonly OpenedLetter[]): { refused: Map<OpenedLetter, CodedError>; contested: Set<string> } {
  const addresses = new Map<string, string>();
  const owners = new Map<string, string>();
  const refused = new Map<OpenedLetter, CodedError>();
  const contested = new Set<string>();
  const written = opened.filter(isWritten);
  for (const letter of requestFirst(written)) {
    const { thread } = letter.content;
    if (thread === undefined) continue;
    const parts = [thread.lock, thread.recipient.toLowerCase()];
    const address = parts.join(' ');
    if ((addresses.get(thread.key) ?? address) !== address) {
      const id = thread.key.slice(0, ID_DIGITS[0]);
      refused.set(letter, new CodedError('LETTER_THREAD', `it names another mailbox or recipient than its conversation, ${id}, has`));
      continue;
    }
    addresses.set(thread.key, address);
    for (const part of parts) {
      const owner = owners.get(part) ?? thread.key;
      if (owner !== thread.key) contested.add(owner).add(thread.key);
      owners.set(part, owner);
    }
  }
  return { refused, contested };
}

function conversation(id: string, opened: readonly OpenedLetter[], isContested: boolean): Conversation {
  const shown = opened.filter((letter): letter is Written | Noted => isWritten(letter) || isNoted(letter));
  const letters = requestFirst(inOrder(shown, placeOf));
  const written = letters.filter(isWritten);
  const thread = written.map(({ content }) => content.thread).find((each) => each !== undefined);
  const remarks: Remark[] = [];
  if (written.length === 0) remarks.push('no-letters');
  else if (!written.some(({ content }) => content.kind === 'request')) remarks.push('no-request');
  if (isContested) remarks.push('contested');
  const address = thread === undefined ? null : { key: thread.key, lock: thread.lock, recipient: thread.recipient };
  const mentioned = letters.flatMap(({ content }) => factsOf(content).mentioned);
  const absent = absentIds(mentioned, answersIn(letters)).length;
  return { id, address, letters, state: stateOf(letters.filter(isSentNote)), remarks, absent };
}

function placeOf({ content, mark }: OpenedLetter): Place {
  const { number, id = mark, signature = mark } = factsOf(content);
  return { number, id, signature };
}

/** A request comes first also where another letter counts as 0, because its number is higher than anybody writes. */
function requestFirst<L extends OpenedLetter>(letters: readonly L[]): L[] {
  const isRequest = ({ content }: OpenedLetter): boolean => content.kind === 'request';
  return [...letters.filter(isRequest), ...letters.filter((letter) => !isRequest(letter))];
}

/** Each volunteer once, by what weighs most: having answered, being handed the conversation, having claimed it. */
function stateOf(noted: readonly Noted[]): ConversationState {
  const notes = noted.map(({ content }) => content.note);
  const holding = holdingNotes(notes, ({ alias }) => aliasKey(alias));
  const writersOf = (some: readonly Note[], action: NoteAction): string[] =>
    distinctAliases(some.filter((note) => note.action === action).map(({ alias }) => alias));
  const addresseesOf = (some: readonly Note[]): string[] =>
    distinctAliases(some.flatMap(({ action, to }) => (action === 'handover' ? (to ?? []) : [])));
  const answered = writersOf(notes, 'answer');
  const addressees = addresseesOf(holding);
  // A handover may name nobody; then those before it say all that is known.
  const handed = aliasesExcept(addressees.length > 0 ? addressees : addresseesOf(notes), answered);
  const taken = aliasesExcept(writersOf(holding, 'claim'), [...answered, ...addresseesOf(notes)]);
  return { answered, handed, taken, checked: noted.every(({ keyring }) => keyring !== null) };
}

/** Eight digits, or as many more as tell a key from all others, so that nothing is gained by making keys until one begins the same. */
function shortestIds(keys: readonly string[]): (key: string) => string {
  const counts = new Map<string, number>();
  // A key is at least as long as the longest of these.
  for (const start of keys.flatMap((key) => ID_DIGITS.map((digits) => key.slice(0, digits)))) {
    counts.set(start, (counts.get(start) ?? 0) + 1);
  }
  return (key) => ID_DIGITS.map((digits) => key.slice(0, digits)).find((start) => counts.get(start) === 1) ?? key;
}

/** An alias is only what somebody typed; the signer says who they are. */
function aliasRemarks(noted: readonly Noted[]): AliasRemark[] {
  const aliasesOf = new Map<string, Map<string, string>>();
  const signersOf = new Map<string, Set<string>>();
  for (const { content } of noted) {
    const { alias, signer } = content.note;
    const key = aliasKey(alias);
    const aliases = aliasesOf.get(signer) ?? new Map<string, string>();
    aliasesOf.set(signer, aliases.set(key, aliases.get(key) ?? alias));
    signersOf.set(key, (signersOf.get(key) ?? new Set()).add(signer));
  }
  const several = [...aliasesOf].filter(([, aliases]) => aliases.size > 1);
  const spelled = new Map(distinctAliases(noted.map(({ content: { note } }) => note.alias)).map((alias) => [aliasKey(alias), alias]));
  const shared = [...signersOf].filter(([, signers]) => signers.size > 1);
  return [
    ...several.map(([signer, aliases]): AliasRemark => ({ kind: 'one-signer', signers: [signer], aliases: [...aliases.values()] })),
    ...shared.map(([key, signers]): AliasRemark => ({ kind: 'one-alias', signers: [...signers], aliases: [spelled.get(key) ?? key] })),
  ];
}
