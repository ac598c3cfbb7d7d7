// The same letter stands twice in many a message, attached and as armor. One of the two may be spoiled on the way, and says
// nothing new then; but what is spoiled and is no copy may be a colleague's note.
import { asciiOf } from './coding.ts';
import type { Form, Via } from './found.ts';

/** Bytes of a letter as far as it could be read, and how it was found. `rank`: 2 opened, 1 a whole letter for others, 0 spoiled. */
export type Copy = { readonly bytes: Uint8Array; readonly via: Via; readonly rank: number };

/** What every letter begins with. */
const COMMON_START = 'age-encryption.org/v1\n-> mlkem768x25519 ';
/** Of what comes after it so much, no two letters have in common. */
const OWN_CHARACTERS = 12;
const KNOWN_CHARACTERS = COMMON_START.length + OWN_CHARACTERS;

/** Codes of what was read as a letter and is damaged. */
const SPOILED: readonly string[] = ['AGE_HEADER', 'AGE_MAC', 'AGE_PAYLOAD', 'AGE_ARMOR', 'LETTER_STRUCTURE'];

/** `code`: why a letter was refused; null when it opened. What is not believed did open. */
export function rankOf(code: string | null): number {
  if (code === null) return 2;
  if (code === 'AGE_NO_MATCH') return 1;
  return SPOILED.includes(code) ? 0 : 2;
}

/** Those of `all` that are spoiled copies of one that is better. */
export function spoiledCopies(all: readonly Copy[]): ReadonlySet<Copy> {
  const starts = new Map(all.map((copy) => [copy, startOf(copy.bytes)]));
  const spoiled = new Set<Copy>();
  for (const copy of all) {
    const start = starts.get(copy) ?? '';
    if (start.length >= KNOWN_CHARACTERS && all.some((other) => other.rank > copy.rank && starts.get(other) === start)) spoiled.add(copy);
  }
  // Of some so little is left that they may be a copy of any letter: of each that came in the other form alone, of one.
  for (const [form, other] of [
    ['text', 'file'],
    ['file', 'text'],
  ] as const) {
    const startsIn = (wanted: Form, among: readonly Copy[]): string[] =>
      among.filter(({ via }) => via === wanted || via === 'both').map((copy) => starts.get(copy) ?? '');
    const whole = all.filter(({ rank }) => rank > 0);
    const paired = new Set([...startsIn(form, whole), ...startsIn(form, [...spoiled])]);
    const alone = new Set(startsIn(other, whole).filter((start) => !paired.has(start)));
    const vague = all.filter((copy) => copy.rank === 0 && copy.via === form && isVague(starts.get(copy) ?? ''));
    for (const copy of vague.slice(0, alone.size)) spoiled.add(copy);
  }
  return spoiled;
}

/** Any letter begins so. */
function isVague(start: string): boolean {
  return start.length < KNOWN_CHARACTERS && (start.startsWith(COMMON_START) || COMMON_START.startsWith(start));
}

/** What tells a letter from every other, also after a program changed its line ends or put something before it. */
export function startOf(bytes: Uint8Array): string {
  const text = asciiOf(bytes.subarray(0, KNOWN_CHARACTERS + 32))
    .replace(/^(?:\u00ef\u00bb\u00bf|[\s\0])+/, '')
    .replaceAll('\r\n', '\n');
  return text.slice(0, KNOWN_CHARACTERS);
}
