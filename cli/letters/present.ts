import type { LetterContent } from '../../crypto/letter.ts';
import type { Keyring } from '../../crypto/keyring.ts';
import { block, visibleLine } from '../terminal.ts';
import { labelsFor } from './labels.ts';

/** An opened letter; `keyring` is the one it was sealed under, null when none was given to check against. */
export type Opened = { source: string; content: LetterContent; keyring: Keyring | null };

/**
 * A request for the eye. Everything that comes from outside is indented and made visible, so that a message can
 * neither act on the terminal nor pass for a line of ours.
 */
export function present({ source, content, keyring }: Opened, number: number, columns: number): string {
  const labels = labelsFor(content.language);
  const rows: [string, string][] = [
    [labels.topic, content.topic === undefined ? `(${labels.noTopic})` : topicName(content.topic, content.language, keyring)],
    [labels.contact, content.contact === undefined ? `(${labels.noContact})` : ''],
    [labels.keyring, keyring === null ? `${String(content.serial)} (${labels.unchecked})` : String(content.serial)],
  ];
  const width = Math.max(...rows.map(([label]) => label.length));
  const lines = [`=== ${labels.request} ${String(number)} · ${visibleLine(source)}`];
  for (const [label, value] of rows) {
    lines.push(`${`${label}:`.padEnd(width + 2)}${value}`.trimEnd());
    if (label === labels.contact && content.contact !== undefined) lines.push(block(content.contact, columns));
  }
  lines.push(`${labels.message}:`, block(content.message, columns), '');
  return `${lines.join('\n')}\n`;
}

/** The same for --json: exactly what the letter says. */
export function asJson({ source, content, keyring }: Opened) {
  return { source, authentic: true, keyringChecked: keyring !== null, ...content };
}

function topicName(topic: string, language: string, keyring: Keyring | null): string {
  const names = keyring?.teams.flatMap(({ topics }) => topics).find(({ id }) => id === topic)?.names;
  const name = names?.[language] ?? names?.['en'];
  return name === undefined ? topic : `${visibleLine(name)} (${topic})`;
}
