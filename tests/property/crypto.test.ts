// Laws of the formats, tested with fast-check.
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { armor, dearmor } from '../../crypto/age/armor.ts';
import { decrypt, encrypt } from '../../crypto/age/age.ts';
import { parseHeader } from '../../crypto/age/header.ts';
import { decodeIdentity, decodeRecipient, generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { encodeAnswer, parseAnswer, RESULTS, type Result } from '../../crypto/answer.ts';
import { equal, randomBytes, toHex, wellFormed } from '../../crypto/bytes.ts';
import { codeRoot, makeCode, readCode, wordsOf } from '../../crypto/code.ts';
import { CodedError } from '../../crypto/errors.ts';
import { LETTER_PLAINTEXT_BYTES, checkLetter, letterRoom, openLetter, sealLetter, type WrittenContent } from '../../crypto/letter.ts';
import { parseMailboxAnswer, parseQuestion } from '../../crypto/mailbox.ts';
import { generateKeyPair, parsePublicKey, sign, verify } from '../../crypto/minisign.ts';
import { PARCEL_BYTES, openSealed, parseParcel, sealParcel } from '../../crypto/parcel.ts';
import { checkDelivery, openReply, replyRoom, sealReply } from '../../crypto/reply.ts';
import { signatureHolds, signingKeyPair, signParts } from '../../crypto/sign.ts';
import { ready } from '../../crypto/sodium.ts';
import { stampBits, stampParcel } from '../../crypto/stamp.ts';
import { threadOf } from '../../crypto/thread.ts';
import { WORD_LIST_LENGTH } from '../../crypto/words.ts';

beforeAll(() => ready);

const few = { numRuns: 40 };
const anyText = fc.string({ unit: 'binary', minLength: 1, maxLength: 2000 });
/** Lone surrogates included. */
const anyUnits = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { minLength: 1, maxLength: 400 })
  .map((units) => String.fromCharCode(...units));
const team = 'a1b2c3d4e5f60718';
const contentOf = (message: string): WrittenContent => ({
  version: 1,
  kind: 'request',
  serial: 1,
  keyring: '0'.repeat(64),
  topic: 'legal',
  language: 'ru',
  message,
});

const codeOf = (act: () => unknown): string => {
  try {
    act();
    return 'none';
  } catch (error) {
    if (error instanceof CodedError) return error.code;
    throw error;
  }
};

describe('age', () => {
  test('decrypt inverts encrypt', () => {
    const identity = generateIdentity();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70_000 }), (plaintext) => {
        expect(decrypt(encrypt(plaintext, [identityToRecipient(identity)]), [identity])).toEqual(plaintext);
      }),
      few,
    );
  });

  test('dearmor inverts armor', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 500 }), (bytes) => {
        expect(dearmor(armor(bytes))).toEqual(bytes);
      }),
    );
  });

  test('no changed byte of a file is accepted', () => {
    const identity = generateIdentity();
    const file = encrypt(new Uint8Array(100), [identityToRecipient(identity)]);
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const changed = file.slice();
        changed[at] = (changed[at] as number) ^ mask;
        expect(codeOf(() => decrypt(changed, [identity]))).not.toBe('none');
      }),
      { numRuns: 300 },
    );
  });

  test('parsers of untrusted input give a code or a value, never another error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        codeOf(() => parseHeader(bytes));
      }),
    );
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        codeOf(() => decodeIdentity(text));
        codeOf(() => decodeRecipient(text));
        codeOf(() => dearmor(text));
        codeOf(() => parsePublicKey(text));
      }),
    );
  });
});

describe('letter', () => {
  test('openLetter inverts sealLetter for every text of whole characters', () => {
    const identity = generateIdentity();
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 8 }), (message, team8) => {
        const others = Array.from({ length: team8 - 1 }, () => identityToRecipient(generateIdentity()));
        const content = contentOf(message);
        if (letterRoom(content) < 0) return;
        expect(openLetter(sealLetter(content, [...others, identityToRecipient(identity)]), [identity])).toEqual(content);
      }),
      few,
    );
  });

  test('a letter is sealed exactly when it has room', () => {
    const recipient = identityToRecipient(generateIdentity());
    const overhead = LETTER_PLAINTEXT_BYTES - letterRoom(contentOf('a')) - 1;
    const longest = contentOf('a'.repeat(LETTER_PLAINTEXT_BYTES - overhead));
    expect(letterRoom(longest)).toBe(0);
    expect(codeOf(() => sealLetter(longest, [recipient]))).toBe('none');
    expect(codeOf(() => sealLetter(contentOf(`${longest.message}a`), [recipient]))).toBe('LETTER_TOO_LONG');
  });

  test('a letter needs 1 to 8 recipients', () => {
    const recipient = identityToRecipient(generateIdentity());
    for (const count of [0, 9]) {
      expect(
        codeOf(() =>
          sealLetter(
            contentOf('a'),
            Array.from({ length: count }, () => recipient),
          ),
        ),
      ).toBe('LETTER_RECIPIENTS');
    }
  });

  test('random bytes are not a letter', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(
          codeOf(() => {
            checkLetter(bytes);
          }),
        ).toBe('LETTER_STRUCTURE');
      }),
    );
  });
});

describe('parcel', () => {
  const worker = (): { identity: string; to: { serial: number; worker: string } } => {
    const identity = generateIdentity();
    return { identity, to: { serial: 5, worker: identityToRecipient(identity) } };
  };

  test('openSealed inverts sealParcel', () => {
    const { identity, to } = worker();
    const letter = sealLetter(contentOf('a'), [identityToRecipient(generateIdentity())]);
    expect(openSealed(parseParcel(sealParcel({ kind: 'letter', team, letter }, to)).sealed, [identity])).toEqual({
      kind: 'letter',
      team,
      letter,
    });
    expect(openSealed(parseParcel(sealParcel({ kind: 'decoy' }, to)).sealed, [identity])).toEqual({ kind: 'decoy' });
  });

  test('a stamp has at least the difficulty asked for, and leaves id and sealed part unchanged', () => {
    const parcel = sealParcel({ kind: 'decoy' }, worker().to);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 }), (difficulty) => {
        const before = parseParcel(parcel);
        const after = parseParcel(stampParcel(parcel, difficulty));
        expect(stampBits(after)).toBeGreaterThanOrEqual(difficulty);
        expect(toHex(after.id)).toBe(toHex(before.id));
        expect(equal(after.sealed, before.sealed)).toBe(true);
      }),
      few,
    );
  });

  test('stamping again changes nothing', () => {
    const stamped = stampParcel(sealParcel({ kind: 'decoy' }, worker().to), 8);
    expect(equal(stampParcel(stamped, 8), stamped)).toBe(true);
  });

  test("any bytes of a parcel's length give a code or a parcel", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: PARCEL_BYTES, maxLength: PARCEL_BYTES }), (bytes) => {
        expect(['PARCEL_VERSION', 'PARCEL_SEALED', 'PARCEL_CHECK']).toContain(codeOf(() => parseParcel(bytes)));
      }),
      few,
    );
  });
});

describe('answer and signature', () => {
  test('parseAnswer inverts encodeAnswer', () => {
    const results = Object.keys(RESULTS) as Result[];
    fc.assert(
      fc.property(fc.constantFrom(...results), fc.nat(24), fc.nat(86_400), (result, difficulty, retryAfterSeconds) => {
        expect(parseAnswer(encodeAnswer({ result, difficulty, retryAfterSeconds }))).toEqual({ result, difficulty, retryAfterSeconds });
      }),
      few,
    );
  });

  test('a signature holds for its message and comment only', () => {
    const key = generateKeyPair();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 200 }), (message, other) => {
        const text = sign(message, key, 'comment');
        expect(verify(message, text, key)).toBe('comment');
        if (toHex(message) !== toHex(other)) expect(codeOf(() => verify(other, text, key))).toBe('MINISIGN_SIGNATURE');
      }),
      few,
    );
  });
});

describe('conversation', () => {
  const list = Array.from(
    { length: WORD_LIST_LENGTH },
    (_, i) => `${String.fromCharCode(97 + (i % 26), 97 + (Math.floor(i / 26) % 26), 97 + Math.floor(i / 676))}xyz`,
  );

  test('openReply inverts sealReply for every text, with lone surrogates replaced', () => {
    const thread = threadOf(codeRoot('ru', makeCode()));
    const signer = signingKeyPair(randomBytes(32));
    const signers = new Set([toHex(signer.key)]);
    fc.assert(
      fc.property(fc.oneof(anyText, anyUnits), (text) => {
        if (replyRoom(text) < 0) return;
        const delivery = sealReply({ team, text }, thread.address, signer);
        checkDelivery(delivery, signers);
        expect(openReply(delivery.reply, thread.identity, thread.signing.key, signers).text).toBe(wellFormed(text));
      }),
      few,
    );
  });

  test('no changed byte of a delivery is believed', () => {
    const signer = signingKeyPair(randomBytes(32));
    const delivery = sealReply({ team, text: 'a' }, threadOf(codeRoot('ru', makeCode())).address, signer);
    fc.assert(
      fc.property(fc.constantFrom('mailbox', 'signature', 'reply'), fc.nat(), fc.integer({ min: 1, max: 255 }), (part, where, mask) => {
        const changed = delivery[part as 'mailbox'].slice();
        changed[where % changed.length] = (changed[where % changed.length] as number) ^ mask;
        expect(
          codeOf(() => {
            checkDelivery({ ...delivery, [part]: changed }, new Set([toHex(signer.key)]));
          }),
        ).toBe('SIGNER_SIGNATURE');
      }),
      { numRuns: 300 },
    );
  });

  test('a signature holds for these parts in this context only', () => {
    const signer = signingKeyPair(randomBytes(32));
    const parts = fc.array(fc.string({ unit: 'binary', maxLength: 20 }), { maxLength: 4 });
    fc.assert(
      fc.property(parts, parts, (some, others) => {
        const signature = signParts('reply', some, signer);
        expect(signatureHolds('reply', some, signature, signer.key)).toBe(true);
        expect(signatureHolds('note', some, signature, signer.key)).toBe(false);
        expect(signatureHolds('reply', others, signature, signer.key)).toBe(JSON.stringify(some) === JSON.stringify(others));
      }),
    );
  });

  test('readCode inverts wordsOf, and names a problem for anything else', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
        expect(readCode(text, list)).toHaveProperty('problem');
      }),
    );
    fc.assert(
      fc.property(fc.stringMatching(/^[^\p{L}\p{M}]{1,5}$/u), (between) => {
        const code = makeCode();
        expect(readCode(wordsOf(code, list).join(between), list)).toEqual({ code });
      }),
      few,
    );
  });

  test('any bytes of a mailbox exchange give a code or a value', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: PARCEL_BYTES, maxLength: PARCEL_BYTES }), fc.nat(0xffff_ffff), (bytes, page) => {
        expect(['MAILBOX_VERSION', 'none']).toContain(codeOf(() => parseQuestion(bytes)));
        bytes.set([0, 0, 0, 1, 0, 0, 0, 0]);
        expect(['MAILBOX_FORMAT', 'none']).toContain(codeOf(() => parseMailboxAnswer(bytes, page)));
        bytes.set([0, 0, 0], 8);
        expect(codeOf(() => parseMailboxAnswer(bytes, page))).toBe('none');
      }),
      few,
    );
  });
});
