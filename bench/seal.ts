// How long sealing and opening take, compared with age-encryption doing the same in the same run.
import { Decrypter, Encrypter } from 'age-encryption';
import { generateIdentity, identityToRecipient } from '../crypto/age/identity.ts';
import { encodeKeyring, keyringDigest, type Keyring } from '../crypto/keyring.ts';
import { LETTER_PLAINTEXT_BYTES, LETTER_RECIPIENTS, openLetter } from '../crypto/letter.ts';
import { openSealed, PARCEL_PLAINTEXT_BYTES, parseParcel } from '../crypto/parcel.ts';
import { sealRequest } from '../crypto/seal.ts';
import { ready } from '../crypto/sodium.ts';
import { stampParcel } from '../crypto/stamp.ts';
import { compare } from './compare.ts';

await ready;
const volunteer = generateIdentity();
const worker = generateIdentity();
const recipient = identityToRecipient(volunteer);
const names = { en: 'x' };
const keyring: Keyring = {
  version: 1,
  serial: 1,
  notBefore: '2030-01-01T00:00:00Z',
  notAfter: '2030-01-08T00:00:00Z',
  previous: null,
  worker: identityToRecipient(worker),
  teams: [{ id: 'a'.repeat(16), names, topics: [{ id: 'legal', names }], recipients: [recipient], signers: ['ab'.repeat(32)] }],
};
const verified = { keyring, digest: keyringDigest(encodeKeyring(keyring)) };
const request = { topic: 'legal', language: 'ru', message: 'п'.repeat(3_700) };
const parcel = sealRequest(request, verified);
const { sealed } = parseParcel(parcel);
const content = openSealed(sealed, [worker]);
if (content.kind !== 'letter') throw new Error('expected a letter');

/** Makes files of the same sizes with the library: a letter's plaintext to eight recipients, and a parcel's to one. */
async function sealWithAgeEncryption(): Promise<void> {
  for (const [count, bytes] of [
    [LETTER_RECIPIENTS, LETTER_PLAINTEXT_BYTES],
    [1, PARCEL_PLAINTEXT_BYTES],
  ] as const) {
    const encrypter = new Encrypter();
    for (let i = 0; i < count; i += 1) encrypter.addRecipient(recipient);
    await encrypter.encrypt(new Uint8Array(bytes));
  }
}

async function openWithAgeEncryption(file: Uint8Array, identity: string): Promise<void> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  await decrypter.decrypt(file);
}

await compare(
  'seal a request (letter and parcel)',
  () => {
    sealRequest(request, verified);
  },
  sealWithAgeEncryption,
);
await compare(
  'open a sealed part',
  () => {
    openSealed(sealed, [worker]);
  },
  () => openWithAgeEncryption(sealed, worker),
);
await compare(
  'open a letter',
  () => {
    openLetter(content.letter, [volunteer]);
  },
  () => openWithAgeEncryption(content.letter, volunteer),
);
await compare(
  'stamp of 10 bits, against sealing',
  () => {
    stampParcel(parcel, 10);
  },
  () => {
    sealRequest(request, verified);
  },
);
