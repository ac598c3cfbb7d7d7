// Shows conversations: who wrote what, who has done what, and what is odd about it.
import { fingerprint } from '../../volunteer/keys/fingerprint.ts';
import {
  countsOf,
  isNoted,
  isWritten,
  type AliasRemark,
  type Conversation,
  type Noted,
  type Written,
} from '../../volunteer/conversations/conversations.ts';
import { element, setVisible } from '../page/page.ts';
import { copyOf, part, phrase, quoted } from './phrases.ts';

const isUnanswered = ({ address, state }: Conversation): boolean => address !== null && state.answered.length === 0;
const hasMoreLettersThanAnswers = (conversation: Conversation): boolean => countsOf(conversation).written > countsOf(conversation).answers;
/**
 * The most urgent first: nobody has answered or taken it; nobody has answered it; there are more letters than answers; no answer is wanted
 * here, so that only a contact can be used.
 */
const URGENCY: readonly ((conversation: Conversation) => boolean)[] = [
  (each) => isUnanswered(each) && each.state.handed.length + each.state.taken.length === 0,
  isUnanswered,
  (each) => each.address !== null && hasMoreLettersThanAnswers(each),
  (each) => each.address === null,
  () => true,
];
const urgencyOf = (conversation: Conversation): number => URGENCY.findIndex((applies) => applies(conversation));

function entry(isNote: boolean, what: readonly HTMLElement[], text: string): HTMLElement {
  const shown = copyOf('entry');
  shown.classList.toggle('note', isNote);
  part(shown, 'what', HTMLElement).append(...what.flatMap((each, index) => (index === 0 ? [each] : [' ', each])));
  const said = part(shown, 'text', HTMLElement);
  said.hidden = text === '';
  quoted(said, text);
  return shown;
}

function writtenEntry({ content: { kind, serial, topic, contact, message }, keyring }: Written): HTMLElement {
  const names = keyring?.teams.flatMap(({ topics }) => topics).find(({ id }) => id === topic)?.names;
  const what = [
    phrase(kind, { serial: String(serial) }),
    ...(topic === undefined ? [] : [phrase('topic', { topic: names?.[document.documentElement.lang] ?? topic })]),
    ...(contact === undefined ? [] : [phrase('contact', { contact })]),
  ];
  return entry(false, what, message);
}

function notedEntry({ content, unsent }: Noted): HTMLElement {
  const { action, alias, to = '', signer, text } = content.note;
  if (unsent === true) return entry(true, [phrase('unsent-note')], text);
  return entry(true, [phrase(`note-${action}`, { alias, to, signer: fingerprint(signer), serial: String(content.serial) })], text);
}

/** The same as on the command line, except that what `no-letters` means is said in place of the button. */
function states(conversation: Conversation): HTMLElement[] {
  const { address, state, letters, remarks, absent } = conversation;
  const { answers, written } = countsOf(conversation);
  const all: HTMLElement[] = (['answered', 'handed', 'taken'] as const).flatMap((what) =>
    state[what].map((alias) => phrase(what, { alias })),
  );
  if (state.answered.length === 0) all.unshift(phrase(address === null && letters.some(isWritten) ? 'unwanted' : 'unanswered'));
  else if (written > answers) all.push(phrase('waiting-again', { answers: String(answers), written: String(written) }));
  if (letters.some(({ unsent }) => unsent === true)) all.unshift(phrase('unsent'));
  const odd = remarks.filter((remark) => remark !== 'no-letters').map((remark) => phrase(remark));
  return [...all, ...odd, ...(absent > 0 ? [phrase('absent', { count: String(absent) })] : [])];
}

type OnAnswer = (conversation: Conversation, place: HTMLElement) => void;

function showOne(conversation: Conversation, onAnswer: OnAnswer): HTMLElement {
  const { id, address, letters } = conversation;
  const shown = copyOf('conversation');
  shown.id = `conversation-${id}`;
  const title = part(shown, 'title', HTMLElement);
  title.id = `title-${id}`;
  title.append(phrase('conversation', { id }));
  shown.setAttribute('aria-labelledby', title.id);
  part(shown, 'states', HTMLElement).append(...states(conversation));
  part(shown, 'entries', HTMLElement).append(
    ...letters.map((letter) => (isNoted(letter) ? notedEntry(letter) : writtenEntry(letter as Written))),
  );
  const answer = part(shown, 'answer', HTMLButtonElement);
  const closed = part(shown, 'closed', HTMLElement);
  answer.hidden = address === null;
  closed.hidden = address !== null;
  if (address === null) closed.append(phrase(letters.some(isWritten) ? 'no-thread' : 'no-letters'));
  answer.addEventListener('click', () => onAnswer(conversation, part(shown, 'compose', HTMLElement)));
  return shown;
}

/** The place for writing an answer to a conversation that is shown. */
export function placeToCompose(id: string): HTMLElement {
  const shown = document.getElementById(`conversation-${id}`);
  if (shown === null) throw new Error(`the page does not show conversation ${id}`);
  return part(shown, 'compose', HTMLElement);
}

export function showConversations(conversations: readonly Conversation[], onAnswer: OnAnswer): void {
  const unanswered = conversations.filter(isUnanswered).length;
  element('summary', HTMLElement).replaceChildren(
    phrase('summary', { count: String(conversations.length), unanswered: String(unanswered) }),
  );
  const sorted = [...conversations].sort((a, b) => urgencyOf(a) - urgencyOf(b));
  element('conversations', HTMLElement).replaceChildren(...sorted.map((each) => showOne(each, onAnswer)));
}

export function showAliases(remarks: readonly AliasRemark[]): void {
  const shown = remarks.map(({ kind, signers, aliases }) =>
    phrase(kind, { signers: signers.map(fingerprint).join(', '), aliases: aliases.map((alias) => `«${alias}»`).join(', ') }),
  );
  element('aliases', HTMLElement).replaceChildren(...shown);
  setVisible({ 'odd-names': shown.length > 0 });
}
