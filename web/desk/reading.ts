// What the desk shows: conversations, who has done what, and what was not opened.
import type { WrittenContent } from '../../crypto/letter.ts';
import type { Note } from '../../crypto/note.ts';
import { element } from '../page.ts';
import { doingsOf, type Conversation } from './conversations.ts';
import { copyOf, part, phrase, quoted } from './phrases.ts';
import type { Refusal, RefusalCode } from './pile.ts';

/** Enough of a key to tell two with the same alias apart. */
const SIGNER_DIGITS = 8;

function phraseFor(code: RefusalCode): string {
  switch (code) {
    case 'AGE_NO_MATCH':
      return 'refused-no-key';
    case 'KEYRING_FOREIGN':
      return 'refused-foreign';
    case 'LETTER_THREAD':
      return 'refused-thread';
    case 'SIGNER_UNKNOWN':
    case 'SIGNER_SIGNATURE':
      return 'refused-note';
    case 'MINISIGN_FORMAT':
    case 'MINISIGN_KEY':
    case 'MINISIGN_SIGNATURE':
    case 'KEYRING_FORMAT':
      return 'refused-keyring';
    case 'LETTER_MISSING':
      return 'refused-none';
    case 'FILE_TOO_LARGE':
    case 'FILE_UNREADABLE':
      return 'refused-file';
    default:
      return 'refused-damaged';
  }
}

export function showRefusals(refusals: readonly Refusal[]): void {
  element('refused', HTMLElement).hidden = refusals.length === 0;
  element('refusals', HTMLElement).replaceChildren(...refusals.map(({ source, code }) => phrase(phraseFor(code), { source, code })));
}

const by = ({ alias, signer, to = '' }: Note) => ({ alias, to, signer: signer.slice(0, SIGNER_DIGITS) });

function entry(isNote: boolean, what: readonly HTMLElement[], text: string): HTMLElement {
  const shown = copyOf('entry');
  shown.classList.toggle('note', isNote);
  part(shown, 'what', HTMLElement).append(...what.flatMap((each, index) => (index === 0 ? [each] : [' ', each])));
  quoted(part(shown, 'text', HTMLElement), text);
  return shown;
}

function letterEntry(content: WrittenContent, topicName: (topic: string) => string): HTMLElement {
  const { kind, serial, topic, contact, message } = content;
  return entry(false, [
    phrase(kind, { serial: String(serial) }),
    ...(topic === undefined ? [] : [phrase('topic', { topic: topicName(topic) })]),
    ...(contact === undefined ? [] : [phrase('contact', { contact })]),
  ], message);
}

export type Shown = {
  conversations: readonly Conversation[];
  /** What a topic is called. */
  topicName: (topic: string) => string;
  onAnswer: (conversation: Conversation, place: HTMLElement, title: string) => void;
};

function showOne(conversation: Conversation, number: number, { topicName, onAnswer }: Shown): HTMLElement {
  const shown = copyOf('conversation');
  shown.dataset['conversation'] = conversation.id;
  const title = part(shown, 'title', HTMLElement);
  title.id = `conversation-${String(number)}`;
  title.append(phrase('conversation', { number: String(number) }));
  shown.setAttribute('aria-labelledby', title.id);
  const { answered, taken, handed } = doingsOf(conversation);
  part(shown, 'states', HTMLElement).append(
    ...(answered.length === 0 ? [phrase('unanswered')] : answered.map((note) => phrase('answered', by(note)))),
    ...taken.map((note) => phrase('taken', by(note))),
    ...handed.map((note) => phrase('handed', by(note))),
  );
  part(shown, 'entries', HTMLElement).append(
    ...conversation.letters.map((letter) => letterEntry(letter, topicName)),
    ...conversation.notes.map(({ note, serial }) => entry(true, [phrase(`note-${note.action}`, { ...by(note), serial: String(serial) })], note.text)),
  );
  const answer = part(shown, 'answer', HTMLButtonElement);
  const closed = part(shown, 'closed', HTMLElement);
  answer.hidden = conversation.address === null;
  closed.hidden = conversation.address !== null;
  if (conversation.address === null) closed.append(phrase(conversation.letters.length === 0 ? 'no-letter' : 'no-thread'));
  answer.addEventListener('click', () => onAnswer(conversation, part(shown, 'compose', HTMLElement), title.textContent));
  return shown;
}

export function showConversations(shown: Shown): void {
  const { conversations } = shown;
  const unanswered = conversations.filter((each) => doingsOf(each).answered.length === 0).length;
  element('summary', HTMLElement).replaceChildren(phrase('summary', { count: String(conversations.length), unanswered: String(unanswered) }));
  element('conversations', HTMLElement).replaceChildren(...conversations.map((each, index) => showOne(each, index + 1, shown)));
}
