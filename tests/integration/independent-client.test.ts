// A second implementation of docs/protocol.md, which uses nothing of crypto/: only age, BLAKE2b and Node itself.
import { createHash, createPublicKey, randomInt, verify } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { blake2b } from '@noble/hashes/blake2.js';
import { armor, Decrypter, Encrypter, generateHybridIdentity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shareDeployment, type Deployment } from '../support/deployment.ts';

const LETTER_RECIPIENTS = 8;
const LETTER_PLAINTEXT_BYTES = 10_240;
const LETTER_BYTES = 22_798;
const PARCEL_PLAINTEXT_BYTES = 22_901;
const SEALED_BYTES = 24_560;
const PARCEL_BYTES = 24_576;
const LETTER_KIND = 1;

type Keyring = { serial: number; worker: string; teams: { id: string; topics: { id: string }[]; recipients: string[] }[] };

let deployment: Deployment;
beforeAll(async () => {
  deployment = await shareDeployment();
});
afterAll(async () => {
  await deployment.stop();
});

async function get(name: string): Promise<Buffer> {
  return Buffer.from(await (await fetch(new URL(name, deployment.url))).arrayBuffer());
}

/** minisign: 'ED' means that the file's BLAKE2b-512 is signed; the last line signs the signature and the trusted comment. */
function minisignHolds(file: Buffer, signatureText: string, publicKeyText: string): boolean {
  const base64Line = (text: string, index: number) => Buffer.from(text.split('\n')[index] ?? '', 'base64');
  const publicKey = base64Line(publicKeyText, 1);
  const signature = base64Line(signatureText, 1);
  const comment = (signatureText.split('\n')[2] ?? '').replace(/^trusted comment: /, '');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey.subarray(10).toString('base64url') }, format: 'jwk' });
  const signed = createHash('blake2b512').update(file).digest();
  return (
    signature.subarray(0, 2).toString() === 'ED' &&
    signature.subarray(2, 10).equals(publicKey.subarray(2, 10)) &&
    verify(null, signed, key, signature.subarray(10)) &&
    verify(null, Buffer.concat([signature.subarray(10), Buffer.from(comment)]), key, base64Line(signatureText, 3))
  );
}

async function sealTo(plaintext: Uint8Array, recipients: readonly string[]): Promise<Uint8Array> {
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return encrypter.encrypt(plaintext);
}

async function makeLetter(content: object, team: readonly string[]): Promise<Uint8Array> {
  const recipients = [...team];
  while (recipients.length < LETTER_RECIPIENTS)
    recipients.splice(randomInt(recipients.length + 1), 0, await identityToRecipient(await generateHybridIdentity()));
  return sealTo(Buffer.from(JSON.stringify(content).padEnd(LETTER_PLAINTEXT_BYTES - extraBytes(JSON.stringify(content)))), recipients);
}

/** padEnd counts UTF-16 units; the length of the UTF-8 is what matters. */
function extraBytes(text: string): number {
  return Buffer.byteLength(text) - text.length;
}

/** The plaintext of a parcel with a letter. */
function letterPlaintext(team: string, letter: Uint8Array): Buffer {
  const plaintext = Buffer.alloc(PARCEL_PLAINTEXT_BYTES);
  plaintext.writeUInt8(LETTER_KIND, 0);
  Buffer.from(team, 'hex').copy(plaintext, 1);
  plaintext.set(letter, 9);
  return plaintext;
}

/** Adds version, serial, check and counter before the sealed part. */
function stamped(sealed: Uint8Array, serial: number, difficulty: number): Buffer {
  const id = blake2b(sealed, { dkLen: 32 });
  const tail = Buffer.alloc(12);
  tail.writeUInt32BE(serial, 0);
  tail.set(blake2b(Buffer.concat([id, tail.subarray(0, 4)]), { dkLen: 32 }).subarray(0, 4), 4);
  for (let counter = 0; ; counter += 1) {
    tail.writeUInt32BE(counter, 8);
    const digest = Buffer.from(blake2b(Buffer.concat([id, tail]), { dkLen: 32 }));
    if (digest.readUInt32BE(0) >>> (32 - difficulty) === 0) break;
  }
  const header = Buffer.alloc(16);
  header.writeUInt32BE(1, 0);
  tail.copy(header, 4);
  return Buffer.concat([header, sealed]);
}

/** The armored letter in the body of a message in the Maildir. */
function letterIn(mail: string): Uint8Array {
  const block = /-----BEGIN AGE ENCRYPTED FILE-----[^]+?-----END AGE ENCRYPTED FILE-----/.exec(mail)?.[0];
  if (block === undefined) throw new Error('the message holds no armored letter');
  return armor.decode(block);
}

function openByVolunteer(letter: Uint8Array): Promise<string> {
  const decrypter = new Decrypter();
  const identity = readFileSync(deployment.identity, 'utf8')
    .split('\n')
    .find((line) => line.startsWith('AGE-SECRET-KEY-PQ-1'));
  decrypter.addIdentity(identity ?? '');
  return decrypter.decrypt(letter, 'text');
}

test('a client written from docs/protocol.md alone gets its request to the volunteer', async () => {
  const json = await get('keyring.json');
  expect(minisignHolds(json, (await get('keyring.json.minisig')).toString(), readFileSync(deployment.rootKey, 'utf8'))).toBe(true);
  const keyring = JSON.parse(json.toString()) as Keyring;
  const { difficulty } = JSON.parse((await get('door.json')).toString()) as { difficulty: number };
  const team = keyring.teams.find(({ topics }) => topics.some(({ id }) => id === 'legal'));
  if (team === undefined) throw new Error('no team takes the topic');

  const content = {
    version: 1,
    kind: 'request',
    serial: keyring.serial,
    keyring: Buffer.from(blake2b(json, { dkLen: 32 })).toString('hex'),
    topic: 'legal',
    language: 'ru',
    message: 'Нужен адвокат. 🙏',
    contact: 'someone@example.org',
  };
  const letter = await makeLetter(content, team.recipients);
  expect(letter.length).toBe(LETTER_BYTES);

  const sealed = await sealTo(letterPlaintext(team.id, letter), [keyring.worker]);
  expect(sealed.length).toBe(SEALED_BYTES);
  const parcel = stamped(sealed, keyring.serial, difficulty);
  expect(parcel.length).toBe(PARCEL_BYTES);

  const answer = await fetch(new URL('parcel', deployment.url), {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
    body: parcel,
  });
  const bytes = Buffer.from(await answer.arrayBuffer());
  expect([answer.status, bytes.length, bytes.readUInt32BE(0), bytes.readUInt32BE(4), bytes.readUInt32BE(8)]).toEqual([
    202,
    PARCEL_BYTES,
    1,
    0,
    difficulty,
  ]);

  const inbox = join(deployment.inbox, 'new');
  await expect.poll(() => readdirSync(inbox), { timeout: 60_000 }).toHaveLength(1);
  const arrived = letterIn(readFileSync(join(inbox, readdirSync(inbox)[0] ?? ''), 'utf8'));
  expect(Buffer.from(arrived).equals(letter)).toBe(true);
  const text = await openByVolunteer(arrived);
  expect(Buffer.byteLength(text)).toBe(LETTER_PLAINTEXT_BYTES);
  expect(JSON.parse(text)).toEqual(content);
});
