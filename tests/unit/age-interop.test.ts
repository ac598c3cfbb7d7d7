// Our files and those of age-encryption (typage) are interchangeable.
import { Decrypter, Encrypter, armor as theirArmor, generateHybridIdentity, identityToRecipient as theirRecipient } from 'age-encryption';
import { beforeAll, expect, test } from 'vitest';
import { armor, dearmor } from '../../crypto/age/armor.ts';
import { decrypt, encrypt } from '../../crypto/age/age.ts';
import { generateIdentity, identityToRecipient, parseIdentityFile } from '../../crypto/age/identity.ts';
import { decryptWithPassphrase, encryptWithPassphrase, isPassphraseFile } from '../../crypto/age/passphrase.ts';
import { equal, fromHex, randomBytes, toHex, utf8 } from '../../crypto/bytes.ts';
import { codeRoot, makeCode } from '../../crypto/code.ts';
import { openLetter, sealLetter } from '../../crypto/letter.ts';
import { openReply, sealReply } from '../../crypto/reply.ts';
import { signingKeyPair } from '../../crypto/sign.ts';
import { ready } from '../../crypto/sodium.ts';
import { signAddress, threadOf } from '../../crypto/thread.ts';

beforeAll(() => ready);

const SIZES = [0, 1, 10_240, 65_535, 65_536, 65_537, 200_000];

async function theyOpen(file: Uint8Array, identity: string): Promise<Uint8Array> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  return decrypter.decrypt(file);
}

test('identities and recipients are interchangeable', async () => {
  const ours = generateIdentity();
  const theirs = await generateHybridIdentity();
  expect(identityToRecipient(ours)).toBe(await theirRecipient(ours));
  expect(identityToRecipient(theirs)).toBe(await theirRecipient(theirs));
});

test('what we seal, age-encryption opens', async () => {
  const identity = generateIdentity();
  for (const size of SIZES) {
    const plaintext = randomBytes(size);
    const file = encrypt(plaintext, [identityToRecipient(generateIdentity()), identityToRecipient(identity)]);
    expect(equal(await theyOpen(file, identity), plaintext)).toBe(true);
  }
});

test('what age-encryption seals, we open', async () => {
  const identity = await generateHybridIdentity();
  for (const size of SIZES) {
    const plaintext = randomBytes(size);
    const encrypter = new Encrypter();
    encrypter.addRecipient(await theirRecipient(identity));
    expect(equal(decrypt(await encrypter.encrypt(plaintext), [generateIdentity(), identity]), plaintext)).toBe(true);
  }
});

test('a letter opens in age-encryption as readable JSON', async () => {
  const identity = generateIdentity();
  const content = {
    version: 1,
    kind: 'request',
    serial: 3,
    keyring: 'f'.repeat(64),
    topic: 'legal',
    language: 'ru',
    message: 'Здравствуйте',
  } as const;
  const letter = sealLetter(content, [identityToRecipient(identity)]);
  expect(JSON.parse(new TextDecoder().decode(await theyOpen(letter, identity)))).toEqual(content);
  expect(openLetter(letter, [identity])).toEqual(content);
});

test('a letter with a thread, and the reply to it, open in age-encryption as readable JSON', async () => {
  const identity = generateIdentity();
  const thread = threadOf(codeRoot('ru', makeCode()));
  const written = {
    version: 1,
    kind: 'follow-up',
    serial: 3,
    keyring: 'f'.repeat(64),
    language: 'ru',
    message: 'И ещё: "вечером" 🕊',
  } as const;
  const letter = sealLetter({ ...written, thread: signAddress(written, thread) }, [identityToRecipient(identity)]);
  const letterText = new TextDecoder().decode(await theyOpen(letter, identity));
  expect(letterText).toContain('И ещё:');
  expect(JSON.parse(letterText)).toEqual(openLetter(letter, [identity]));
  expect(JSON.parse(letterText)).toMatchObject({ ...written, thread: thread.address });

  const signer = signingKeyPair(randomBytes(32));
  const { reply } = sealReply({ team: 'a1b2c3d4e5f60718', text: 'Мы вас услышали.' }, thread.address, signer);
  expect(thread.address.recipient).toBe(await theirRecipient(thread.identity));
  const replyText = new TextDecoder().decode(await theyOpen(reply, thread.identity));
  expect(replyText).toContain('"text":"Мы вас услышали."');
  expect(JSON.parse(replyText)).toEqual(openReply(reply, thread.identity, fromHex(thread.address.key), new Set([toHex(signer.key)])));
});

test('armor is the same text', () => {
  for (const size of [1, 47, 48, 49, 1000]) {
    const file = encrypt(randomBytes(size), [identityToRecipient(generateIdentity())]);
    expect(armor(file).trim()).toBe(theirArmor.encode(file).trim());
    expect(dearmor(theirArmor.encode(file))).toEqual(file);
  }
});

test('passphrase-protected files open both ways', async () => {
  const plaintext = utf8('# a file of identities\n');
  const ours = await encryptWithPassphrase(plaintext, 'четыре коротких слова', 12);
  expect(isPassphraseFile(ours)).toBe(true);
  const decrypter = new Decrypter();
  decrypter.addPassphrase('четыре коротких слова');
  expect(await decrypter.decrypt(ours)).toEqual(plaintext);
  const encrypter = new Encrypter();
  encrypter.setPassphrase('two words');
  encrypter.setScryptWorkFactor(12);
  expect(await decryptWithPassphrase(await encrypter.encrypt(plaintext), 'two words')).toEqual(plaintext);
  await expect(decryptWithPassphrase(ours, 'другие слова')).rejects.toMatchObject({ code: 'AGE_NO_MATCH' });
});

test('an identity file is read as age reads it', () => {
  const identity = generateIdentity();
  expect(parseIdentityFile(`# created\r\n\n${identity}\n`)).toEqual([identity]);
  expect(() => parseIdentityFile('# nothing\n')).toThrow(expect.objectContaining({ code: 'IDENTITY_FORMAT' }));
  const broken = identity.slice(0, -1) + (identity.endsWith('Q') ? 'P' : 'Q');
  expect(() => parseIdentityFile(`${broken}\n`)).toThrow(expect.objectContaining({ code: 'IDENTITY_FORMAT' }));
});
