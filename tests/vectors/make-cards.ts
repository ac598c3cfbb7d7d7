// Vectors of cards: of whole weeks, and of whatever else somebody may send. Called by make.ts.
import { generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { utf8 } from '../../crypto/bytes.ts';
import { cardWords, encodeCard, verifyCard, type Card } from '../../crypto/card.ts';
import { generateKeyPair, sign } from '../../crypto/minisign.ts';
import type { Vector } from './run.ts';

type Made = { readonly blobs: Record<string, Uint8Array>; readonly vectors: Vector[] };

export function cardVectors(list: readonly string[]): Made {
  const blobs: Record<string, Uint8Array> = {};
  const vectors: Vector[] = [];
  const key = generateKeyPair();
  const weeks = ['2030-01-07', '2030-01-14', '2030-01-21', '2030-01-28'].map((day) => `${day}T00:00:00Z`);
  const recipients = weeks.map(() => identityToRecipient(generateIdentity()));
  const week = (at: number): Card['weeks'][number] => ({
    notBefore: weeks[at] ?? '',
    notAfter: weeks[at + 1] ?? '',
    recipient: recipients[at] ?? '',
  });
  const text = encodeCard({ holder: 'volunteer', weeks: [week(0), week(1), week(2)] }, key);
  const card = JSON.parse(text.trimEnd().split('\n').at(-1) ?? '') as Card;
  const add = (name: string, value: string, expect: Vector['expect']): void => {
    blobs[name] = utf8(value);
    vectors.push({ name, op: 'verifyCard', input: name, expect });
  };
  const good = (value: string): Vector['expect'] => {
    const verified = verifyCard(value);
    return {
      value: {
        holder: verified.card.holder,
        signer: verified.signer,
        weeks: verified.card.weeks.map(({ notBefore }) => notBefore),
        words: cardWords(verified, list).join(' '),
      },
    };
  };
  const changed = (change: Readonly<Record<string, unknown>>, by = key): string => {
    const json = `${JSON.stringify({ ...card, ...change })}\n`;
    return sign(utf8(json), by, 'a card') + json;
  };
  const fails = (error: 'CARD_FORMAT' | 'CARD_WEEKS' | 'MINISIGN_KEY' | 'MINISIGN_SIGNATURE'): Vector['expect'] => ({ error });

  add('a card', text, good(text));
  add('a card of a worker', changed({ holder: 'worker' }), good(changed({ holder: 'worker' })));
  add('a card with a field that is not known', changed({ more: 1 }), good(changed({ more: 1 })));
  add('a card as a mail program leaves it', `\ufeff${text.replaceAll('\n', ' \r\n')}\r\n`, good(text));
  add('a card with a changed field', text.replace('"volunteer"', '"worker"'), fails('MINISIGN_SIGNATURE'));
  add('a card signed by another key than it names', changed({}, generateKeyPair()), fails('MINISIGN_KEY'));
  add('a card with a line too many', `${text}{}\n`, fails('CARD_FORMAT'));
  add('a card of another version', changed({ version: 2 }), fails('CARD_FORMAT'));
  add('a card of somebody else', changed({ holder: 'administrator' }), fails('CARD_FORMAT'));
  add('a card without weeks', changed({ weeks: [] }), fails('CARD_FORMAT'));
  add('a card with a recipient that is none', changed({ weeks: [{ ...week(0), recipient: 'age1pq1' }] }), fails('CARD_FORMAT'));
  add('a card with a week missing', changed({ weeks: [week(0), week(2)] }), fails('CARD_WEEKS'));
  add('a card with a week twice', changed({ weeks: [week(0), week(0), week(1)] }), fails('CARD_WEEKS'));
  add('a card with weeks in another order', changed({ weeks: [week(1), week(0)] }), fails('CARD_WEEKS'));
  add('a card with a week of six days', changed({ weeks: [{ ...week(0), notAfter: '2030-01-13T00:00:00Z' }] }), fails('CARD_WEEKS'));
  const tuesday = { ...week(0), notBefore: '2030-01-08T00:00:00Z', notAfter: '2030-01-15T00:00:00Z' };
  add('a card whose weeks begin on a Tuesday', changed({ weeks: [tuesday] }), fails('CARD_WEEKS'));
  add('a card with a recipient twice', changed({ weeks: [week(0), { ...week(1), recipient: recipients[0] }] }), fails('CARD_WEEKS'));
  return { blobs, vectors };
}
