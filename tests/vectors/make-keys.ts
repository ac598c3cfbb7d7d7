// Vectors of keys in files, with passphrases and without, and of signatures in minisign's format as programs leave them. Called by make.ts.
import { scryptSync } from 'node:crypto';
import { base64, bech32 } from '@scure/base';
import { armor } from '../../crypto/age/armor.ts';
import { generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { encryptWithPassphrase } from '../../crypto/age/passphrase.ts';
import { blake2b, concat, toHex, utf8 } from '../../crypto/bytes.ts';
import { encodePublicKey, encodeSecretKey, generateKeyPair, sign, type SigningKey } from '../../crypto/minisign.ts';
import { sodium } from '../../crypto/sodium.ts';
import { fingerprint } from '../../volunteer/keys/fingerprint.ts';
import { fromLittleEndian, L, littleEndian } from './edwards.ts';
import type { Vector } from './run.ts';

type Given = { readonly json: Uint8Array; readonly root: SigningKey; readonly digest: string; readonly serial: number };
type Made = { readonly blobs: Record<string, Uint8Array>; readonly vectors: Vector[] };

/** Where the parts of a secret key file lie. */
const [KDF, SALT, LIMITS, FIELD, SECRET, CHECKSUM] = [2, 6, 38, 54, 62, 126];
/** Both of minisign's ways from limits to scrypt's parameters, cheaper than its own. */
const WORK = [
  { opsLimit: 2 ** 15, memoryLimit: 2 ** 24, N: 2 ** 10, p: 1 },
  { opsLimit: 2 ** 20, memoryLimit: 2 ** 20, N: 2 ** 10, p: 32 },
] as const;
const CHEAP_LOG_N = 10;
const fails = (error: string): Vector['expect'] => ({ error });

export async function keyVectors({ json, root, digest, serial }: Given): Promise<Made> {
  const blobs: Record<string, Uint8Array> = {};
  const vectors: Vector[] = [];
  const add = (name: string, op: Vector['op'], bytes: Uint8Array | string, expect: Vector['expect'], more: Partial<Vector> = {}): void => {
    blobs[name] = typeof bytes === 'string' ? utf8(bytes) : bytes;
    vectors.push({ name, op, input: name, expect, ...more });
  };

  // Signatures as text.
  const text = sign(json, root, 'keyring 7');
  const [untrusted = '', signatureLine = '', trusted = '', globalLine = ''] = text.split('\n');
  const signature = base64.decode(signatureLine).slice(10);
  const withComment = (comment: string): string => {
    const global = sodium.crypto_sign_detached(concat(signature, utf8(comment)), root.secret);
    return `${[untrusted, signatureLine, `trusted comment: ${comment}`, base64.encode(global)].join('\n')}\n`;
  };
  const signedAs = (name: string, signatureText: string, expect: Vector['expect'] = { value: { digest, serial } }): void => {
    vectors.push({ name: `a signature ${name}`, op: 'verifyKeyring', input: 'json', signature: signatureText, expect });
  };
  signedAs('with CRLF', text.replaceAll('\n', '\r\n'));
  signedAs('with CR', text.replaceAll('\n', '\r'));
  signedAs('without its last line end', text.trimEnd());
  signedAs('with empty lines at its end', `${text}\n \r\n`);
  signedAs('with a byte order mark', `\ufeff${text}`);
  signedAs('with white space at the ends of its lines', text.replaceAll('\n', ' \t\u00a0\n'));
  signedAs('with an untrusted comment that is empty', text.replace(/^.*/, 'untrusted comment: '));
  signedAs('with an untrusted comment that is empty and has lost its space', text.replace(/^.*/, 'untrusted comment:'));
  signedAs('with a trusted comment that is empty', withComment(''));
  signedAs('with a trusted comment in Russian, with a tab in it', withComment('связка\t7'));
  signedAs('with a trusted comment of a thousand characters', withComment('7'.repeat(1_000)));
  signedAs('whose trusted comment was signed with a space at its end', withComment('keyring 7 '), fails('MINISIGN_SIGNATURE'));
  signedAs(
    'with S above the order of the group',
    text.replace(
      signatureLine,
      base64.encode(concat(base64.decode(signatureLine).slice(0, 42), littleEndian(fromLittleEndian(signature.slice(32)) + L))),
    ),
    fails('MINISIGN_SIGNATURE'),
  );
  for (const [name, changed] of [
    ['with a fifth line', `${text}x\n`],
    ['with an empty line before it', `\n${text}`],
    ['with an empty line in it', text.replace('\n', '\n\n')],
    ['with a comment without a space', text.replace('untrusted comment: ', 'untrusted comment:')],
    ['with white space before a line', text.replace(trusted, ` ${trusted}`)],
    ['in base64 without padding', text.replaceAll('=', '')],
    ['in base64url', text.replace(globalLine, '-_'.repeat(43).concat('=='))],
    ['in base64 with bits left over', text.replace(signatureLine, leftOver(signatureLine))],
    ['in base64 with a space in it', text.replace(signatureLine, signatureLine.replace(/^.{8}/, '$& '))],
  ] as const)
    signedAs(name, changed, fails('MINISIGN_FORMAT'));

  // Public keys.
  const key = generateKeyPair();
  const value = { id: toHex(key.id), key: toHex(key.key) };
  const publicKey = encodePublicKey(key);
  const [, publicLine = ''] = publicKey.split('\n');
  add('a public key', 'publicKey', publicKey, { value });
  add('a public key, its second line alone', 'publicKey', ` ${publicLine}\n`, { value });
  add('a public key with CRLF, a byte order mark and an empty comment', 'publicKey', `\ufeffuntrusted comment:\r\n${publicLine} \r\n\r\n`, {
    value,
  });
  add('a public key with a third line', 'publicKey', `${publicKey}x\n`, fails('MINISIGN_FORMAT'));
  add(
    'a public key of another algorithm',
    'publicKey',
    `untrusted comment: x\n${base64.encode(concat(utf8('SR'), key.id, key.key))}\n`,
    fails('MINISIGN_FORMAT'),
  );
  add('a secret key for a public one', 'publicKey', await encodeSecretKey(key), fails('MINISIGN_FORMAT'));

  // Secret keys.
  const plain = await encodeSecretKey(key, undefined, 'signer');
  const rootFile = await encodeSecretKey(key);
  const changed = (file: string, at: number, bytes: Uint8Array): string => {
    const [comment = '', line = ''] = file.split('\n');
    const copy = base64.decode(line);
    copy.set(bytes, at);
    return `${comment}\n${base64.encode(copy)}\n`;
  };
  const checksum = blake2b(32, concat(utf8('SR'), key.id, key.secret));
  add('a signer', 'signer', plain, { value });
  add('a signer of the older kind', 'signer', rootFile, { value });
  add('a signer with CRLF and without its last line end', 'signer', plain.trimEnd().replaceAll('\n', '\r\n'), { value });
  add('a signer without a passphrase, with a salt and limits', 'signer', changed(plain, SALT, new Uint8Array(48).fill(7)), { value });
  add('a signer without a passphrase, with its checksum', 'signer', changed(plain, CHECKSUM, checksum), { value });
  add(
    'a signer without a passphrase, with another checksum',
    'signer',
    changed(plain, CHECKSUM, checksum.with(0, (checksum[0] ?? 0) ^ 1)),
    fails('MINISIGN_FORMAT'),
  );
  add('a signer with the public half of another', 'signer', changed(plain, SECRET + 32, generateKeyPair().key), fails('MINISIGN_FORMAT'));
  add('a signer of another key derivation', 'signer', changed(plain, KDF, utf8('Ar')), fails('MINISIGN_FORMAT'));
  add('a signer of another kind of checksum', 'signer', changed(plain, KDF + 2, utf8('B3')), fails('MINISIGN_FORMAT'));
  add('a signer of another algorithm', 'signer', changed(plain, 0, utf8('XX')), fails('MINISIGN_FORMAT'));
  add('a signer with a third line', 'signer', `${plain}x\n`, fails('MINISIGN_FORMAT'));
  add('a public key for a signer', 'signer', publicKey, fails('MINISIGN_FORMAT'));
  add('a root key', 'rootKey', rootFile, { value });
  add('a signer for a root key', 'rootKey', plain, fails('MINISIGN_FORMAT'));

  // Passphrases: as typed, in NFC and in NFD.
  const composed = 'зелёный чайник';
  const decomposed = composed.normalize('NFD');
  const protect = (file: string, passphrase: string, { opsLimit, memoryLimit, N, p }: (typeof WORK)[number]): string => {
    const [comment = '', line = ''] = file.split('\n');
    const bytes = base64.decode(line);
    bytes.set(utf8('Sc'), KDF);
    bytes.set(new Uint8Array(32).fill(9), SALT);
    new DataView(bytes.buffer).setBigUint64(LIMITS, BigInt(opsLimit), true);
    new DataView(bytes.buffer).setBigUint64(LIMITS + 8, BigInt(memoryLimit), true);
    bytes.set(blake2b(32, concat(bytes.slice(0, 2), key.id, key.secret)), CHECKSUM);
    const stream = scryptSync(utf8(passphrase), bytes.slice(SALT, LIMITS), bytes.length - FIELD, { N, r: 8, p, maxmem: 2 ** 27 });
    return `${comment}\n${base64.encode(bytes.map((byte, i) => (i < FIELD ? byte : byte ^ (stream[i - FIELD] ?? 0))))}\n`;
  };
  const closed = protect(plain, composed, WORK[0]);
  add('a signer with a passphrase', 'signer', closed, { value }, { passphrase: composed });
  add('a signer with a passphrase, typed in decomposed letters', 'signer', closed, { value }, { passphrase: decomposed });
  add(
    'a signer with a passphrase in decomposed letters, typed in composed ones',
    'signer',
    protect(plain, decomposed, WORK[0]),
    { value },
    { passphrase: composed },
  );
  add('a signer with a passphrase, with a space at its end', 'signer', closed, fails('MINISIGN_PASSPHRASE'), {
    passphrase: `${composed} `,
  });
  add('a signer with a passphrase, without it', 'signer', closed, fails('MINISIGN_PASSPHRASE'));
  add(
    'a signer with a passphrase, limits that ask for several rounds',
    'signer',
    protect(plain, composed, WORK[1]),
    { value },
    { passphrase: composed },
  );
  add(
    'a signer whose limits ask for more than minisign does',
    'signer',
    changed(closed, LIMITS + 4, Uint8Array.of(1)),
    fails('MINISIGN_FORMAT'),
    { passphrase: composed },
  );
  add('a root key with a passphrase', 'rootKey', protect(rootFile, composed, WORK[0]), { value }, { passphrase: composed });

  // Identity files.
  const [one, other] = [generateIdentity(), generateIdentity()];
  const classic = bech32.encode('age-secret-key-', bech32.toWords(new Uint8Array(32).fill(1)), false).toUpperCase();
  const file = `# created: 2030-01-07\n# public key: ${identityToRecipient(one)}\n${one}\n\n${other}\n`;
  add('an identity file', 'identities', file, { value: [one, other] });
  add(
    'an identity file with a byte order mark, CRLF and white space behind',
    'identities',
    `\ufeff${file.replaceAll('\n', ' \t\r\n')}\r\n`,
    { value: [one, other] },
  );
  add('an identity file without its last line end', 'identities', one, { value: [one] });
  for (const [name, content] of [
    ['of comments', '# nothing\n'],
    ['with white space before an identity', ` ${one}\n`],
    ['with white space before a comment', ` # comment\n${one}\n`],
    ['with two identities on a line', `${one} ${other}\n`],
    ['with a classic identity beside', `${one}\n${classic}\n`],
    ['in lower case', one.toLowerCase()],
    ['of a recipient', identityToRecipient(one)],
  ] as const)
    add(`an identity file ${name}`, 'identities', content, fails('IDENTITY_FORMAT'));
  const sealed = await encryptWithPassphrase(utf8(file), composed, CHEAP_LOG_N);
  const inDecomposed = await encryptWithPassphrase(utf8(file), decomposed, CHEAP_LOG_N);
  add('an identity file with a passphrase', 'identities', sealed, { value: [one, other] }, { passphrase: composed });
  add(
    'an identity file with a passphrase, typed in decomposed letters',
    'identities',
    sealed,
    { value: [one, other] },
    { passphrase: decomposed },
  );
  add(
    'an identity file with a passphrase in decomposed letters, typed in composed ones',
    'identities',
    inDecomposed,
    { value: [one, other] },
    { passphrase: composed },
  );
  add('an identity file with a passphrase, armored', 'identities', armor(sealed), { value: [one, other] }, { passphrase: composed });
  add('an identity file with a passphrase, with a space at its end', 'identities', sealed, fails('AGE_NO_MATCH'), {
    passphrase: `${composed} `,
  });
  const factorAt = sealed.indexOf(0x0a, 22) - 2;
  for (const [name, factor, error] of [
    ['asks for a work factor of 2^23', '23', 'AGE_WORK_FACTOR'],
    ['writes its work factor with a zero', '09', 'AGE_HEADER'],
  ] as const) {
    const copy = sealed.slice();
    copy.set(utf8(factor), factorAt);
    add(`an identity file with a passphrase that ${name}`, 'identities', copy, fails(error), { passphrase: composed });
  }

  // What people compare by voice.
  for (const [name, shown] of [
    ['a recipient', identityToRecipient(one)],
    ['a signer', value.key],
  ] as const)
    add(`the fingerprint of ${name}`, 'fingerprint', shown, { value: fingerprint(shown) });
  return { blobs, vectors };
}

/** The same bytes in base64 whose last character has another bit that stands for nothing. */
function leftOver(line: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  return line.replace(/.(?==*$)/, (last) => alphabet[alphabet.indexOf(last) ^ 1] ?? '');
}
