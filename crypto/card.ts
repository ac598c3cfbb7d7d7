// The card: the public keys that a volunteer or a worker gives to the administrator, once a season. docs/protocol.md, § Card.
import * as z from 'zod/mini';
import { isRecipient } from './age/identity.ts';
import { blake2b, readUint32, toHex, utf8 } from './bytes.ts';
import { CodedError } from './errors.ts';
import { encodePublicKey, parsePublicKey, sign, verify, type SigningKey } from './minisign.ts';
import { instant, parse, parseJson } from './schema.ts';
import { WEEK_MS } from './wire.ts';
import { WORD_LIST_LENGTH } from './words.ts';

export { WEEK_MS };
/** A year, whose last week may reach into the next. */
export const MAX_CARD_WEEKS = 53;
export const MAX_CARD_BYTES = 131_072;
const DIGEST_BYTES = 32;
/** 82 bits. */
export const CARD_WORDS = 8;
/** A `.minisig` text has as many; the signed line follows them. */
const SIGNATURE_LINES = 4;
/** 1970-01-05, a Monday. */
const FIRST_MONDAY_MS = 4 * 24 * 3_600_000;

const week = z.object({
  /** UTC, to the second; `notAfter` is the first moment of the next week. */
  notBefore: instant,
  notAfter: instant,
  recipient: z.string().check(z.refine(isRecipient)),
});

const card = z.object({
  version: z.literal(1),
  holder: z.enum(['volunteer', 'worker']),
  /** What signed the card, as `minisign -P` takes it; a volunteer's is their signer. */
  key: z.string(),
  weeks: z.array(week).check(z.minLength(1), z.maxLength(MAX_CARD_WEEKS)),
});

export type CardWeek = z.infer<typeof week>;
export type Card = z.infer<typeof card>;
/** A card whose signature held. `signer`: its key, 64 hex digits. `digest`: BLAKE2b-256 of the signed line, 32 bytes. */
export type VerifiedCard = { readonly card: Card; readonly signer: string; readonly digest: Uint8Array };

/** The first moment (Unix time, ms) of the week that contains `timeMs`: weeks begin on Monday, 00:00 UTC. */
export function weekStart(timeMs: number): number {
  return timeMs - ((((timeMs - FIRST_MONDAY_MS) % WEEK_MS) + WEEK_MS) % WEEK_MS);
}

/**
 * The text of a card file: a `.minisig` over the last line, and that line, JSON. Throws CARD_FORMAT when a field is wrong, CARD_WEEKS when
 * the weeks are not whole ones that follow one another.
 */
export function encodeCard({ holder, weeks }: Pick<Card, 'holder' | 'weeks'>, key: SigningKey): string {
  const [, line = ''] = encodePublicKey(key).split('\n');
  const value = check({ version: 1, holder, key: line, weeks });
  const json = `${JSON.stringify(value)}\n`;
  const [first, last] = [value.weeks[0], value.weeks.at(-1)];
  return sign(utf8(json), key, `${holder} card ${first?.notBefore ?? ''} ${last?.notAfter ?? ''}`) + json;
}

/**
 * Reads the text of a card file and verifies its signature with the key that the card names: whether that key is the holder's, two people
 * compare by the card's words. Throws CARD_FORMAT when it is no card, CARD_WEEKS when its weeks are not whole ones that follow one another,
 * MINISIGN_KEY and MINISIGN_SIGNATURE as `verify`.
 */
export function verifyCard(text: string): VerifiedCard {
  if (text.length > MAX_CARD_BYTES) throw new CodedError('CARD_FORMAT', `${String(text.length)} bytes, at most ${String(MAX_CARD_BYTES)}`);
  const lines = text
    .replace(/^\ufeff/, '')
    .trimEnd()
    .split(/\r\n?|\n/);
  if (lines.length !== SIGNATURE_LINES + 1) {
    throw new CodedError('CARD_FORMAT', `not a card: ${String(lines.length)} lines, expected ${String(SIGNATURE_LINES + 1)}`);
  }
  const json = utf8(`${(lines.at(-1) ?? '').trimEnd()}\n`);
  const value = check(parseJson(json, 'CARD_FORMAT', 'the card'));
  const key = parsePublicKey(value.key);
  verify(json, lines.slice(0, SIGNATURE_LINES).join('\n'), key);
  return { card: value, signer: toHex(key.key), digest: blake2b(DIGEST_BYTES, json) };
}

/** The eight words by which two people compare a card. `list`: 1,296 words. */
export function cardWords({ digest }: VerifiedCard, list: readonly string[]): string[] {
  return Array.from({ length: CARD_WORDS }, (_, at) => list[readUint32(digest, 4 * at) % WORD_LIST_LENGTH] ?? '');
}

function check(value: unknown): Card {
  const checked = parse(card, value, 'CARD_FORMAT', 'a card');
  const starts = checked.weeks.map(({ notBefore }) => Date.parse(notBefore));
  const begin = starts[0] ?? 0;
  const areWhole = checked.weeks.every(
    ({ notAfter }, at) => starts[at] === begin + at * WEEK_MS && Date.parse(notAfter) === begin + (at + 1) * WEEK_MS,
  );
  if (!areWhole || begin !== weekStart(begin)) throw new CodedError('CARD_WEEKS', 'its weeks are not whole ones that follow one another');
  if (new Set(checked.weeks.map(({ recipient }) => recipient)).size !== checked.weeks.length) {
    throw new CodedError('CARD_WEEKS', 'two weeks have the same recipient');
  }
  return checked;
}
