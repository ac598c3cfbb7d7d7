// Many messages have the same letter twice, attached and as armor. If one of the two was spoiled on the way, it says nothing new;
// but something spoiled that is not a copy may be a colleague's note.
import { asciiOf } from './coding.ts';
import type { Form, Via } from './found.ts';

/**
 * `bytes`: of a letter, as far as it could be read. `rank`: 2 for one that opened, 1 for a whole letter for others, 0 for a spoiled one.
 */
export type Copy = { readonly bytes: Uint8Array; readonly via: Via; readonly rank: number };

/** How every letter begins. */
const COMMON_START = 'age-encryption.org/v1\n-> mlkem768x25519 ';
/** So many of the characters after that are different in any two letters. */
const OWN_CHARACTERS = 12;
const KNOWN_CHARACTERS = COMMON_START.length + OWN_CHARACTERS;

/** Codes for what was read as a letter and is damaged. */
const SPOILED: readonly string[] = ['AGE_HEADER', 'AGE_MAC', 'AGE_PAYLOAD', 'AGE_ARMOR', 'LETTER_STRUCTURE'];

/** `code`: why a letter was refused; null when it was not. A letter that is not believed did open. */
export function rankOf(code: string | null): number {
  if (code === null) return 2;
  if (code === 'AGE_NO_MATCH') return 1;
  return SPOILED.includes(code) ? 0 : 2;
}

/** Those of `all` that are spoiled copies of a better one. */
export function spoiledCopies(all: readonly Copy[]): ReadonlySet<Copy> {
  const starts = new Map(all.map((copy) => [copy, startOf(copy.bytes)]));
  const spoiled = new Set<Copy>();
  for (const copy of all) {
    const start = starts.get(copy) ?? '';
    if (start.length >= KNOWN_CHARACTERS && all.some((other) => other.rank > copy.rank && starts.get(other) === start)) spoiled.add(copy);
  }
  // Of some so little is left that they may be copies of any letter. Each letter that came only in the other form accounts for one of them.
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

/** Whether any letter may begin so. */
function isVague(start: string): boolean {
  return start.length < KNOWN_CHARACTERS && (start.startsWith(COMMON_START) || COMMON_START.startsWith(start));
}

/** The beginning that tells a letter from every other, also after a program changed its line ends or put blanks before it. */
export function startOf(bytes: Uint8Array): string {
  const text = asciiOf(bytes.subarray(0, KNOWN_CHARACTERS + 32))
    .replace(/^(?:\u00ef\u00bb\u00bf|[\s\0])+/, '')
    .replaceAll('\r\n', '\n');
  return text.slice(0, KNOWN_CHARACTERS);
}
