import type { Keyring } from '../../crypto/keyring.ts';
import {
  countsOf,
  isNoted,
  isWritten,
  type Conversation,
  type Noted,
  type OpenedLetter,
  type Written,
} from '../../volunteer/conversations/conversations.ts';
import { fingerprint } from '../../volunteer/keys/fingerprint.ts';
import { block, cut, visibleLine } from '../terminal/terminal.ts';
import { labelsFor, type Labels } from './labels.ts';

/**
 * A letter as text for a terminal. Everything that comes from outside is indented and made visible, so that a message can
 * neither act on the terminal nor pass for a line of ours.
 */
export function present(letter: OpenedLetter, number: number, columns: number): string {
  return isNoted(letter) ? presentNote(letter, number, columns) : presentWritten(letter as Written, number, columns);
}

function presentWritten({ source, content, keyring }: Written, number: number, columns: number): string {
  const labels = labelsFor(content.language);
  const rows: [string, string][] = [
    [labels.topic, topicOf(content, keyring)],
    [labels.contact, content.contact === undefined ? `(${labels.noContact})` : ''],
    [labels.keyring, keyring === null ? `${String(content.serial)} (${labels.unchecked})` : String(content.serial)],
  ];
  const width = Math.max(...rows.map(([label]) => label.length));
  const lines = [`=== ${labels[content.kind]} ${String(number)} · ${visibleLine(source)}`];
  for (const [label, value] of rows) {
    lines.push(`${`${label}:`.padEnd(width + 2)}${value}`.trimEnd());
    if (label === labels.contact && content.contact !== undefined) lines.push(block(content.contact, columns));
  }
  lines.push(`${labels.message}:`, block(content.message, columns), '');
  return `${lines.join('\n')}\n`;
}

function presentNote({ content: { language, note }, source, keyring }: Noted, number: number, columns: number): string {
  const labels = labelsFor(language);
  const to = note.to === undefined ? '' : ` → ${visibleLine(note.to)}`;
  const unchecked = keyring === null ? ` (${labels.notesUnchecked})` : '';
  return `${[
    `=== ${labels.note} ${String(number)} · ${visibleLine(source)}`,
    `${labels[note.action]}: ${visibleLine(note.alias)}${to}${unchecked}`,
    `${labels.signer}: ${fingerprint(note.signer)}`,
    block(note.text, columns),
    '',
  ].join('\n')}\n`;
}

/** A letter for --json: exactly what it says. */
export function asJson({ source, content, keyring }: OpenedLetter) {
  return { source, authentic: true, keyringChecked: keyring !== null, ...content };
}

/**
 * One line: id, state, topic and the beginning of the message. It is cut here, not by the terminal, so that no line of the
 * screen begins with foreign text.
 */
export function presentLine(conversation: Conversation, columns: number): string {
  const written = conversation.letters.find(isWritten);
  const labels = labelsOf(conversation);
  const about =
    written === undefined ? labels['remark.no-letters'] : `${topicOf(written.content, written.keyring)} · ${excerptOf(written)}`;
  const remark = conversation.remarks.length > 0 ? '! ' : '';
  return `${cut(`${conversation.id}  ${remark}${stateIn(conversation, labels)} · ${about}`, columns)}\n`;
}

/** More than fits on a line; the rest need not be made visible. */
const EXCERPT_CHARACTERS = 400;

function excerptOf({ content }: Written): string {
  return visibleLine(content.message.slice(0, EXCERPT_CHARACTERS).replace(/\s+/g, ' '));
}

export function presentConversation(conversation: Conversation, columns: number): string {
  const labels = labelsOf(conversation);
  const remarks = conversation.remarks.map((remark) => `! ${labels[`remark.${remark}`]}`);
  const absent = conversation.absent > 0 ? [`${labels.absent}: ${String(conversation.absent)}`] : [];
  const head = [`##### ${labels.conversation} ${conversation.id} · ${stateIn(conversation, labels)}`, ...remarks, ...absent, ''].join('\n');
  return `${head}\n${conversation.letters.map((letter, i) => present(letter, i + 1, columns)).join('')}`;
}

/** A conversation for --json. `keyringChecked`: whether it is true of all its letters. */
export function conversationJson({ id, address, state: { answered, handed, taken }, remarks, absent, letters }: Conversation) {
  const shown = letters.map(asJson);
  const keyringChecked = shown.every((letter) => letter.keyringChecked);
  return { id, thread: address?.key ?? null, answered, handed, taken, keyringChecked, remarks, absentAnswers: absent, letters: shown };
}

/** Such as "answered by A (1 / 2); handed to B", where the numbers are answers and letters. */
function stateIn(conversation: Conversation, labels: Labels): string {
  const { state, address } = conversation;
  const { answers, written } = countsOf(conversation);
  const counts = answers > 1 || written > 1 ? ` (${String(answers)} / ${String(written)})` : '';
  const parts = (['answered', 'handed', 'taken'] as const)
    .filter((what) => state[what].length > 0)
    .map((what) => `${labels[what]} ${state[what].map(visibleLine).join(', ')}${what === 'answered' ? counts : ''}`);
  if (state.answered.length === 0) parts.unshift(address === null && written > 0 ? labels.unwanted : labels.unanswered);
  return `${parts.join('; ')}${state.checked ? '' : ` (${labels.notesUnchecked})`}`;
}

function labelsOf({ letters }: Conversation): Labels {
  return labelsFor(letters[0]?.content.language ?? 'en');
}

function topicOf({ topic, language }: Written['content'], keyring: Keyring | null): string {
  return topic === undefined ? `(${labelsFor(language).noTopic})` : topicName(topic, language, keyring);
}

function topicName(topic: string, language: string, keyring: Keyring | null): string {
  const names = keyring?.teams.flatMap(({ topics }) => topics).find(({ id }) => id === topic)?.names;
  const name = names?.[language] ?? names?.['en'];
  return name === undefined ? topic : `${visibleLine(name)} (${topic})`;
}
