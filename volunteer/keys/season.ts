// A season's keys. The storage identity, protected by a passphrase, opens one identity file a week: so one passphrase opens them all,
// and a week can be shredded without it.
import { decrypt, encrypt } from '../../crypto/age/age.ts';
import { generateIdentity, identityToRecipient, parseIdentityFile } from '../../crypto/age/identity.ts';
import { fromUtf8, utf8 } from '../../crypto/bytes.ts';
import { encodeCard, WEEK_MS, weekStart, type CardWeek } from '../../crypto/card.ts';
import { CodedError } from '../../crypto/errors.ts';
import type { SigningKey } from '../../crypto/minisign.ts';

export type KeyFile = { readonly name: string; readonly bytes: Uint8Array };

const instantOf = (timeMs: number): string => `${new Date(timeMs).toISOString().slice(0, -'.000Z'.length)}Z`;
const WEEK_FILE = /^week-(\d{4}-\d\d-\d\d)\.age$/;

/** The day of a moment (Unix time, ms) in UTC, as 2026-11-30. */
export const dayOf = (timeMs: number): string => instantOf(timeMs).slice(0, 10);
/** `week-2026-11-30.age`, by the Monday on which the week begins (Unix time, ms). */
export const weekFileName = (timeMs: number): string => `week-${dayOf(timeMs)}.age`;

/** The first moment (Unix time, ms) of the week of a file; null when the name is not that of a week. */
export function weekOfFile(name: string): number | null {
  const [, day] = WEEK_FILE.exec(name) ?? [];
  const timeMs = Date.parse(`${day ?? ''}T00:00:00Z`);
  return Number.isNaN(timeMs) || weekFileName(timeMs) !== name ? null : timeMs;
}

/**
 * Makes `count` weeks (1 to 53) from the one that contains `from` (Unix time, ms): a file for each, sealed to `storage` (`age1pq1…`), and
 * the card, signed by the signer. Throws RECIPIENT_FORMAT when `storage` is no recipient, CARD_FORMAT for another number of weeks.
 */
export function makeSeason(storage: string, signer: SigningKey, from: number, count: number): { weeks: KeyFile[]; card: string } {
  const weeks: KeyFile[] = [];
  const listed: CardWeek[] = [];
  for (let at = 0; at < count; at += 1) {
    const beginMs = weekStart(from) + at * WEEK_MS;
    const [notBefore, notAfter] = [instantOf(beginMs), instantOf(beginMs + WEEK_MS)];
    const identity = generateIdentity();
    const recipient = identityToRecipient(identity);
    const text = `# ${notBefore} to ${notAfter}\n# public key: ${recipient}\n${identity}\n`;
    weeks.push({ name: weekFileName(beginMs), bytes: encrypt(utf8(text), [storage]) });
    listed.push({ notBefore, notAfter, recipient });
  }
  return { weeks, card: encodeCard({ holder: 'volunteer', weeks: listed }, signer) };
}

/** The identity in a week file, opened with the storage identity. Throws what `decrypt` throws, and IDENTITY_FORMAT unless it holds one. */
export function openWeekFile(bytes: Uint8Array, storage: string): string {
  const [identity, ...more] = parseIdentityFile(fromUtf8(decrypt(bytes, [storage])));
  if (identity === undefined || more.length > 0) throw new CodedError('IDENTITY_FORMAT', 'a week file holds one identity');
  return identity;
}
