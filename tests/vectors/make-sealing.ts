// Vectors of age files as the protocol has them, and of keys as text. Called by make.ts.
import { bech32, bech32m } from '@scure/base';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { encrypt } from '../../crypto/age/age.ts';
import { encodeHeader, FILE_KEY_BYTES } from '../../crypto/age/header.ts';
import { wrapHybrid } from '../../crypto/age/hybrid.ts';
import { decodeIdentity, decodeRecipient, identityToRecipient } from '../../crypto/age/identity.ts';
import { concat, randomBytes, toHex, utf8 } from '../../crypto/bytes.ts';
import { sodium } from '../../crypto/sodium.ts';
import type { Vector } from './run.ts';

type Made = { readonly blobs: Record<string, Uint8Array>; readonly vectors: Vector[] };

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

export function sealingVectors(volunteer: string): Made {
  const blobs: Record<string, Uint8Array> = {};
  const vectors: Vector[] = [];
  const add = (name: string, op: Vector['op'], bytes: Uint8Array, expect: Vector['expect'], more: Partial<Vector> = {}): void => {
    blobs[name] = bytes;
    vectors.push({ name, op, input: name, expect, ...more });
  };
  const identities = ['volunteer'];
  const recipient = identityToRecipient(volunteer);
  const open = (name: string, file: Uint8Array, expect: Vector['expect']): void =>
    add(`an age file ${name}`, 'open', file, expect, { identities });

  // Files: the header is text, and strict.
  const plaintext = utf8('words');
  const value = { value: toHex(plaintext) };
  const file = encrypt(plaintext, [recipient]);
  const text = Array.from(file, (byte) => String.fromCharCode(byte)).join('');
  const [version = '', stanza = '', body = '', mac = ''] = text.split('\n');
  const payload = text.slice([version, stanza, body, mac, ''].join('\n').length);
  const written = (lines: readonly string[], end = '\n'): Uint8Array => latin1(lines.map((line) => line + end).join('') + payload);
  const odd = (line: string): string => line.slice(0, -1) + (ALPHABET[ALPHABET.indexOf(line.slice(-1)) ^ 1] ?? '');
  open('to one', file, value);
  open('of nothing', encrypt(new Uint8Array(), [recipient]), { value: '' });
  for (const [name, lines, end] of [
    ['with CRLF in its header', [version, stanza, body, mac], '\r\n'],
    ['whose encapsulated key has bits left over', [version, odd(stanza), body, mac]],
    ['whose stanza body has bits left over', [version, stanza, odd(body), mac]],
    ['whose MAC has bits left over', [version, stanza, body, odd(mac)]],
    ['with padding in its base64', [version, stanza, `${body}=`, mac]],
    ['with a space in its base64', [version, stanza, `${body.slice(0, 8)} ${body.slice(8)}`, mac]],
    ['with a stanza body of two lines', [version, stanza, body.slice(0, 20), body.slice(20), mac]],
    ['with a stanza body that is longer', [version, stanza, `${body}AAAA`, mac]],
    ['with another argument in its stanza', [version, `${stanza} x`, body, mac]],
    ['with two spaces in its stanza', [version, stanza.replace(' ', '  '), body, mac]],
    ['with a space behind its stanza', [version, `${stanza} `, body, mac]],
    ['with an empty line in it', [version, '', stanza, body, mac]],
    ['without a stanza', [version, mac]],
    ['of another version', ['age-encryption.org/v2', stanza, body, mac]],
    ['with a cut MAC', [version, stanza, body, mac.slice(0, -4)]],
  ] as const)
    open(name, written(lines, end), { error: 'AGE_HEADER' });
  open('cut in its payload nonce', file.slice(0, file.length - payload.length + 15), { error: 'AGE_HEADER' });
  open('cut behind its payload nonce', file.slice(0, file.length - payload.length + 16), { error: 'AGE_PAYLOAD' });
  open('with a byte behind its payload', concat(file, Uint8Array.of(0)), { error: 'AGE_PAYLOAD' });

  // Made by hand: a stanza of somebody else's type is passed over, and the last chunk says that it is the last.
  const made = (isLast: boolean, others: readonly string[] = []): Uint8Array => {
    const fileKey = randomBytes(FILE_KEY_BYTES);
    const nonce = randomBytes(16);
    const key = expand(sha256, extract(sha256, fileKey, nonce), utf8('payload'), 32);
    const chunk = sodium.crypto_aead_chacha20poly1305_ietf_encrypt(plaintext, null, null, new Uint8Array(12).with(11, isLast ? 1 : 0), key);
    const stanzas = [
      ...others.map((type) => ({ type, args: ['x'], body: new Uint8Array() })),
      wrapHybrid(fileKey, decodeRecipient(recipient)),
    ];
    return concat(encodeHeader(stanzas, fileKey), nonce, chunk);
  };
  open('made by hand', made(true), value);
  open('with stanzas of other types before', made(true, ['X25519', 'x-grease']), value);
  open('whose only chunk does not say that it is the last', made(false), { error: 'AGE_PAYLOAD' });
  add('an age file for somebody else', 'open', file, { error: 'AGE_NO_MATCH' }, { identities: ['stranger', 'worker'] });

  // Keys as text: each has one way to be written.
  const key = decodeRecipient(recipient);
  const seed = decodeIdentity(volunteer);
  const withBits = (words: readonly number[]): number[] => words.with(-1, (words.at(-1) ?? 0) | 1);
  const recipientOf = (bytes: Uint8Array, words = bech32.toWords(bytes)): string => bech32.encode('age1pq', words, false);
  const identityOf = (bytes: Uint8Array, words = bech32.toWords(bytes)): string =>
    bech32.encode('age-secret-key-pq-', words, false).toUpperCase();
  for (const [name, shown] of [
    ['with bits left over', recipientOf(key, withBits(bech32.toWords(key)))],
    ['with the checksum of Bech32m', bech32m.encode('age1pq', bech32m.toWords(key), false)],
    ['a byte short', recipientOf(key.slice(1))],
    ['a byte long', recipientOf(concat(key, Uint8Array.of(0)))],
    ['with a line end behind', `${recipient}\n`],
    ['partly in upper case', recipient.replace('age1', 'AGE1')],
  ] as const)
    add(`a recipient ${name}`, 'recipient', utf8(shown), { error: 'RECIPIENT_FORMAT' });
  for (const [name, shown] of [
    ['with bits left over', identityOf(seed, withBits(bech32.toWords(seed)))],
    ['with the checksum of Bech32m', bech32m.encode('age-secret-key-pq-', bech32m.toWords(seed), false).toUpperCase()],
    ['a byte short', identityOf(seed.slice(1))],
    ['a byte long', identityOf(concat(seed, Uint8Array.of(0)))],
    ['partly in lower case', volunteer.replace('AGE', 'age')],
    ['with a space before it', ` ${volunteer}`],
    ['of a classic key', bech32.encode('age-secret-key-', bech32.toWords(seed), false).toUpperCase()],
  ] as const)
    add(`an identity ${name}`, 'identity', utf8(shown), { error: 'IDENTITY_FORMAT' });

  // What has the form of a recipient, and X-Wing refuses when something is sealed to it.
  add('sealing to a recipient', 'sealTo', utf8(recipient), { value: 'sealed' });
  for (const [name, bytes] of [
    ['a coefficient of 4,095', concat(Uint8Array.of(0xff, 0xff, 0xff), key.slice(3))],
    ['a coefficient of 3,329', concat(Uint8Array.of(0x01, 0x0d), key.slice(2))],
    ['an X25519 part of zeros', concat(key.slice(0, -32), new Uint8Array(32))],
    ['an X25519 part of order one', concat(key.slice(0, -32), new Uint8Array(32).with(0, 1))],
  ] as const) {
    add(`a recipient with ${name}`, 'recipient', utf8(recipientOf(bytes)), { value: toHex(bytes) });
    add(`sealing to a recipient with ${name}`, 'sealTo', utf8(recipientOf(bytes)), { error: 'RECIPIENT_FORMAT' });
  }
  return { blobs, vectors };
}
