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
 * A letter for the eye. Everything that comes from outside is indented and made visible, so that a message can
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

/** The same for --json: exactly what the letter says. */
export function asJson({ source, content, keyring }: OpenedLetter) {
  return { source, authentic: true, keyringChecked: keyring !== null, ...content };
}

/** One line: id, state, topic and the first words. It is cut here, so that no foreign word begins a line of the terminal. */
export function presentLine(conversation: Conversation, columns: number): string {
  const written = conversation.letters.find(isWritten);
  const labels = labelsOf(conversation);
  const words =
    written === undefined
      ? labels['remark.no-letters']
      : `${topicOf(written.content, written.keyring)} · ${visibleLine(written.content.message.slice(0, 400).replace(/\s+/g, ' '))}`;
  const remark = conversation.remarks.length > 0 ? '! ' : '';
  return `${cut(`${conversation.id}  ${remark}${stateIn(conversation, labels)} · ${words}`, columns)}\n`;
}

export function presentConversation(conversation: Conversation, columns: number): string {
  const labels = labelsOf(conversation);
  const remarks = conversation.remarks.map((remark) => `! ${labels[`remark.${remark}`]}`);
  const absent = conversation.absent > 0 ? [`${labels.absent}: ${String(conversation.absent)}`] : [];
  const head = [`##### ${labels.conversation} ${conversation.id} · ${stateIn(conversation, labels)}`, ...remarks, ...absent, ''].join('\n');
  return `${head}\n${conversation.letters.map((letter, i) => present(letter, i + 1, columns)).join('')}`;
}

/** `keyringChecked` means the same as in each of the letters: it holds for all of them. */
export function conversationJson({ id, address, state: { answered, handed, taken }, remarks, absent, letters }: Conversation) {
  const shown = letters.map(asJson);
  const keyringChecked = shown.every((letter) => letter.keyringChecked);
  return { id, thread: address?.key ?? null, answered, handed, taken, keyringChecked, remarks, absentAnswers: absent, letters: shown };
}

/** "answered by A (1 / 2); handed to B". */
function stateIn(conversation: Conversation, labels: Labels): string {
  const { state, address } = conversation;
  const { answers, written } = countsOf(conversation);
  const parts = (['answered', 'handed', 'taken'] as const).flatMap((what) => {
    const names = state[what].map(visibleLine).join(', ');
    return names === ''
      ? []
      : [
          `${labels[what]} ${names}${what === 'answered' && (answers > 1 || written > 1) ? ` (${String(answers)} / ${String(written)})` : ''}`,
        ];
  });
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
