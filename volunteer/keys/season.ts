// A season's keys: an identity a week, and the card with their public halves. Of a volunteer each week is sealed to the storage identity,
// which a passphrase protects: so one passphrase opens them all, and a week can be shredded without it. A worker's weeks are plain, since
// it starts by itself.
import { decrypt, encrypt } from '../../crypto/age/age.ts';
import { generateIdentity, identityToRecipient, parseIdentityFile } from '../../crypto/age/identity.ts';
import { fromUtf8, utf8 } from '../../crypto/bytes.ts';
import { encodeCard, WEEK_MS, weekStart, type Card } from '../../crypto/card.ts';
import { CodedError } from '../../crypto/errors.ts';
import { generateKeyPair, type SigningKey } from '../../crypto/minisign.ts';

export type KeyFile = { readonly name: string; readonly bytes: Uint8Array };
export type Season = { readonly weeks: KeyFile[]; readonly card: string };
/** How a week file is called: a volunteer's is an age file, a worker's a text. */
export type WeekEnding = 'age' | 'txt';

/** A moment (Unix time, ms) as it stands in cards and keyrings: 2026-11-30T00:00:00Z. */
export const instantOf = (timeMs: number): string => `${new Date(timeMs).toISOString().slice(0, -'.000Z'.length)}Z`;
const WEEK_FILE = /^week-(\d{4}-\d\d-\d\d)\.(?:age|txt)$/;
const CARD_FILE = /^season-(\d{4}-\d\d-\d\d)\.card$/;

/** The day of a moment (Unix time, ms) in UTC, as 2026-11-30. */
export const dayOf = (timeMs: number): string => instantOf(timeMs).slice(0, 10);
/** `week-2026-11-30.age`, by the Monday on which the week begins (Unix time, ms). */
export const weekFileName = (timeMs: number, ending: WeekEnding = 'age'): string => `week-${dayOf(timeMs)}.${ending}`;
/** `season-2026-11-30.card`, by the Monday on which its first week begins (Unix time, ms). */
export const cardFileName = (timeMs: number): string => `season-${dayOf(timeMs)}.card`;

/** The first moment (Unix time, ms) of the week of a file; null when the name is not that of a week. */
export function weekOfFile(name: string, ending: WeekEnding = 'age'): number | null {
  return momentIn(name, WEEK_FILE, (timeMs) => weekFileName(timeMs, ending));
}

/** The first moment (Unix time, ms) of the season of a card; null when the name is not that of a card. */
export function weekOfCard(name: string): number | null {
  return momentIn(name, CARD_FILE, cardFileName);
}

function momentIn(name: string, pattern: RegExp, nameAt: (timeMs: number) => string): number | null {
  const [, day] = pattern.exec(name) ?? [];
  const timeMs = Date.parse(`${day ?? ''}T00:00:00Z`);
  return Number.isNaN(timeMs) || nameAt(timeMs) !== name ? null : timeMs;
}

/**
 * Makes a volunteer's `count` weeks (1 to 53) from the one that contains `from` (Unix time, ms): a file for each, sealed to `storage`
 * (`age1pq1…`), and the card, signed by the signer. Throws RECIPIENT_FORMAT when `storage` is no recipient, CARD_FORMAT for another
 * number of weeks.
 */
export function makeSeason(storage: string, signer: SigningKey, from: number, count: number): Season {
  return season('volunteer', 'age', signer, { from, count }, (text) => encrypt(utf8(text), [storage]));
}

/** Makes a worker's weeks, as `makeSeason`: plain identity files. The key that signs the card is thrown away: it signs nothing else. */
export function makeWorkerSeason(from: number, count: number): Season {
  return season('worker', 'txt', generateKeyPair(), { from, count }, utf8);
}

function season(
  holder: Card['holder'],
  ending: WeekEnding,
  signer: SigningKey,
  { from, count }: { readonly from: number; readonly count: number },
  protect: (text: string) => Uint8Array,
): Season {
  const made = Array.from({ length: count }, (_, at) => {
    const beginMs = weekStart(from) + at * WEEK_MS;
    const [notBefore, notAfter] = [instantOf(beginMs), instantOf(beginMs + WEEK_MS)];
    const identity = generateIdentity();
    const recipient = identityToRecipient(identity);
    const text = `# ${notBefore} to ${notAfter}\n# public key: ${recipient}\n${identity}\n`;
    return { file: { name: weekFileName(beginMs, ending), bytes: protect(text) }, listed: { notBefore, notAfter, recipient } };
  });
  const card = encodeCard({ holder, weeks: made.map(({ listed }) => listed) }, signer);
  return { weeks: made.map(({ file }) => file), card };
}

/** The identity in a week file, opened with the storage identity. Throws what `decrypt` throws, and IDENTITY_FORMAT unless it holds one. */
export function openWeekFile(bytes: Uint8Array, storage: string): string {
  const [identity, ...more] = parseIdentityFile(fromUtf8(decrypt(bytes, [storage])));
  if (identity === undefined || more.length > 0) throw new CodedError('IDENTITY_FORMAT', 'a week file holds one identity');
  return identity;
}
