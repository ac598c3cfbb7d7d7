// Every length in docs/protocol.md, as the sum in the code and as the number in the document.
import { expect, test } from 'vitest';
import { MAC_LINE_BYTES, VERSION_LINE_BYTES } from '../../crypto/age/header.ts';
import { ENC_BYTES, HYBRID_BODY_BYTES, HYBRID_STANZA_BYTES } from '../../crypto/age/hybrid.ts';
import { PUBLIC_KEY_BYTES, generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { payloadLength } from '../../crypto/age/stream.ts';
import { ANSWER_BYTES, ANSWER_HEADER_BYTES, encodeAnswer } from '../../crypto/answer.ts';
import { LETTER_BYTES, LETTER_PLAINTEXT_BYTES, sealLetter } from '../../crypto/letter.ts';
import { MAILBOX_ANSWER_BYTES, QUESTION_BYTES, REPLIES_A_PAGE, REPLIES_OFFSET } from '../../crypto/mailbox.ts';
import { MAX_REPLIES } from '../../crypto/mailbox-limits.ts';
import * as parcel from '../../crypto/parcel.ts';
import { REMOVAL_HEAD, SHORT_REPLY_ID_BYTES } from '../../crypto/removal.ts';
import { REPLY_BYTES, REPLY_ID_BYTES, REPLY_PLAINTEXT_BYTES } from '../../crypto/reply.ts';
import { SIGNATURE_BYTES, SIGNING_KEY_BYTES, SIGNING_SEED_BYTES } from '../../crypto/sign.ts';
import { ready, sodium } from '../../crypto/sodium.ts';
import { CODE_WORDS, RANDOM_WORDS } from '../../crypto/code.ts';
import { MAILBOX_ID_BYTES, MAILBOX_KEY_BYTES, MAILBOX_LOCK_BYTES } from '../../crypto/thread.ts';
import { WORD_LIST_LENGTH } from '../../crypto/words.ts';

const recipient = async (): Promise<string> => {
  await ready;
  return identityToRecipient(generateIdentity());
};

test('the parts of an age file', async () => {
  await ready;
  expect(VERSION_LINE_BYTES).toBe(22);
  expect(MAC_LINE_BYTES).toBe(48);
  expect(ENC_BYTES).toBe(sodium.crypto_kem_xwing_CIPHERTEXTBYTES);
  expect(PUBLIC_KEY_BYTES).toBe(sodium.crypto_kem_xwing_PUBLICKEYBYTES);
  expect(HYBRID_BODY_BYTES).toBe(32);
  expect(HYBRID_STANZA_BYTES).toBe(1557);
  expect(payloadLength(0)).toBe(32);
  expect(payloadLength(65_536)).toBe(16 + 65_536 + 16);
  expect(payloadLength(65_537)).toBe(16 + 65_537 + 32);
});

test('a recipient has 1,959 characters', async () => {
  expect(await recipient()).toHaveLength(1959);
});

test('a letter has 22,798 bytes, whatever its content and number of recipients', async () => {
  const recipients = [await recipient(), await recipient()];
  const content = {
    version: 1,
    kind: 'request',
    serial: 1,
    keyring: '0'.repeat(64),
    topic: 'legal',
    language: 'ru',
    message: 'м',
  } as const;
  expect(LETTER_BYTES).toBe(22_798);
  expect(LETTER_BYTES).toBe(VERSION_LINE_BYTES + 8 * HYBRID_STANZA_BYTES + MAC_LINE_BYTES + 16 + LETTER_PLAINTEXT_BYTES + 16);
  expect(sealLetter(content, recipients)).toHaveLength(LETTER_BYTES);
  expect(sealLetter({ ...content, message: 'м'.repeat(4000) }, recipients.slice(1))).toHaveLength(LETTER_BYTES);
});

test('a parcel has 24,576 bytes', async () => {
  const worker = await recipient();
  expect(parcel.PARCEL_HEADER_BYTES).toBe(16);
  expect(parcel.PARCEL_PLAINTEXT_BYTES).toBe(22_901);
  expect(parcel.CONTENT_BYTES).toBeGreaterThanOrEqual(LETTER_BYTES);
  expect(parcel.SEALED_BYTES).toBe(24_560);
  expect(parcel.PARCEL_BYTES).toBe(24_576);
  expect(parcel.sealParcel({ kind: 'decoy' }, { serial: 1, worker })).toHaveLength(parcel.PARCEL_BYTES);
});

test('an answer is as long as a parcel', async () => {
  await ready;
  expect(ANSWER_HEADER_BYTES).toBe(16);
  expect(ANSWER_BYTES).toBe(parcel.PARCEL_BYTES);
  expect(encodeAnswer({ result: 'accepted', difficulty: 10, retryAfterSeconds: 0 })).toHaveLength(ANSWER_BYTES);
});

test('a code has 113 bits', () => {
  expect([CODE_WORDS, RANDOM_WORDS, WORD_LIST_LENGTH]).toEqual([12, 11, 1_296]);
  expect(Math.floor(RANDOM_WORDS * Math.log2(WORD_LIST_LENGTH))).toBe(113);
});

test('signatures are Ed25519', async () => {
  await ready;
  expect([SIGNING_SEED_BYTES, SIGNING_KEY_BYTES, SIGNATURE_BYTES]).toEqual([
    sodium.crypto_sign_SEEDBYTES,
    sodium.crypto_sign_PUBLICKEYBYTES,
    sodium.crypto_sign_BYTES,
  ]);
});

test('a reply has 9,851 bytes, and fits into a parcel, as does a removal', () => {
  expect(REPLY_BYTES).toBe(9_851);
  expect(REPLY_BYTES).toBe(VERSION_LINE_BYTES + HYBRID_STANZA_BYTES + MAC_LINE_BYTES + 16 + REPLY_PLAINTEXT_BYTES + 16);
  expect(parcel.KIND_BYTES + MAILBOX_ID_BYTES + SIGNING_KEY_BYTES + SIGNATURE_BYTES + REPLY_BYTES).toBe(9_980);
  expect(parcel.KIND_BYTES + Object.values(REMOVAL_HEAD).reduce<number>((sum, length) => sum + length, 0)).toBe(133);
  expect(Object.entries(REMOVAL_HEAD)).toEqual([
    ['key', SIGNING_KEY_BYTES],
    ['lock', MAILBOX_LOCK_BYTES],
    ['signature', SIGNATURE_BYTES],
    ['count', 4],
  ]);
  expect([SHORT_REPLY_ID_BYTES, REPLY_ID_BYTES, MAX_REPLIES]).toEqual([16, 32, 864]);
  expect(133 + MAX_REPLIES * SHORT_REPLY_ID_BYTES).toBe(13_957);
  expect(parcel.PARCEL_PLAINTEXT_BYTES - 9_980).toBe(12_921);
  expect(parcel.PARCEL_PLAINTEXT_BYTES - 13_957).toBe(8_944);
});

test('a mailbox read is as long as a parcel, in both directions', () => {
  expect(QUESTION_BYTES).toBe(parcel.PARCEL_BYTES);
  expect(MAILBOX_ANSWER_BYTES).toBe(parcel.PARCEL_BYTES);
  expect(4 + MAILBOX_KEY_BYTES + SIGNING_KEY_BYTES + 4).toBe(72);
  expect(REPLIES_OFFSET).toBe(16);
  expect(REPLIES_OFFSET + REPLIES_A_PAGE * REPLY_BYTES).toBe(19_718);
});
