// A conversation from its three sides: the requester's code, the volunteer's reply, and the worker in between.
import { beforeAll, describe, expect, it } from 'vitest';
import { generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { fromHex, randomBytes, toHex } from '../../crypto/bytes.ts';
import { CODE_WORDS, codeRoot, makeCode, readCode, wordsOf } from '../../crypto/code.ts';
import { WORD_LIST_LENGTH } from '../../crypto/words.ts';
import type { Keyring, VerifiedKeyring } from '../../crypto/keyring.ts';
import { openLetter, sealLetter, type WrittenContent } from '../../crypto/letter.ts';
import { MAX_REPLIES } from '../../crypto/mailbox-limits.ts';
import { encodeMailboxAnswer, encodeQuestion, parseMailboxAnswer, parseQuestion } from '../../crypto/mailbox.ts';
import { checkNote, signNote } from '../../crypto/note.ts';
import { LONGEST_ORDER } from '../../crypto/order.ts';
import { openSealed, parseParcel, sealParcel } from '../../crypto/parcel.ts';
import { checkDelivery, openReply, REPLY_BYTES, replyRoom, sealReply } from '../../crypto/reply.ts';
import { sealRequest } from '../../crypto/seal.ts';
import { signingKeyPair, type SigningKeyPair } from '../../crypto/sign.ts';
import { ready } from '../../crypto/sodium.ts';
import { mailboxOf, threadOf, type Thread } from '../../crypto/thread.ts';

const LIST = Array.from(
  { length: WORD_LIST_LENGTH },
  (_, i) => `${String.fromCharCode(97 + (i % 26), 97 + (Math.floor(i / 26) % 26), 97 + Math.floor(i / 676))}xyz`,
);
const TEAM = 'a1b2c3d4e5f60718';

let volunteer: string;
let worker: string;
let signer: SigningKeyPair;
let stranger: SigningKeyPair;
let signers: ReadonlySet<string>;
let thread: Thread;
let other: Thread;
let verified: VerifiedKeyring;
beforeAll(async () => {
  await ready;
  [volunteer, worker] = [generateIdentity(), generateIdentity()];
  [signer, stranger] = [signingKeyPair(randomBytes(32)), signingKeyPair(randomBytes(32))];
  signers = new Set([toHex(signer.key)]);
  [thread, other] = [threadOf(codeRoot('ru', makeCode())), threadOf(codeRoot('ru', makeCode()))];
  const keyring: Keyring = {
    version: 1,
    serial: 3,
    notBefore: '2030-01-07T00:00:00Z',
    notAfter: '2030-01-14T00:00:00Z',
    previous: null,
    worker: identityToRecipient(worker),
    teams: [
      {
        id: TEAM,
        names: { ru: 'Т' },
        topics: [{ id: 'legal', names: { ru: 'П' } }],
        recipients: [identityToRecipient(volunteer)],
        signers: [toHex(signer.key)],
      },
    ],
  };
  verified = { keyring, digest: 'ab'.repeat(32) };
});

describe('an access code', () => {
  it('is read back, whatever separates its words and however they are written', () => {
    const code = makeCode();
    expect(code).toHaveLength(CODE_WORDS);
    const words = wordsOf(code, LIST);
    for (const text of [
      words.join(' '),
      ` ${words.join(', ')}. `,
      words.join('\n').toUpperCase(),
      words.map((word) => word.slice(0, 4)).join('-'),
    ]) {
      expect(readCode(text, LIST)).toEqual({ code });
    }
  });

  it('says which word is unknown, how many there are, and that they do not fit together', () => {
    const words = wordsOf(makeCode(), LIST);
    expect(readCode(words.with(3, 'qqqq').join(' '), LIST)).toEqual({ problem: { kind: 'word', position: 4 } });
    expect(readCode(words.slice(1).join(' '), LIST)).toEqual({ problem: { kind: 'count', count: CODE_WORDS - 1 } });
    const swapped = wordsOf(makeCode(), LIST).with(CODE_WORDS - 1, LIST.find((word) => word !== words[9]) ?? '');
    const problems = [words.with(0, words[1] === LIST[0] ? (LIST[1] ?? '') : (LIST[0] ?? '')), swapped].map((each) =>
      readCode(each.join(' '), LIST),
    );
    expect(problems.filter((found) => 'problem' in found && found.problem.kind === 'check').length).toBeGreaterThan(0);
  });

  it('leads to the same thread every time, and to another in another language', () => {
    const code = makeCode();
    expect(threadOf(codeRoot('ru', code)).address).toEqual(threadOf(codeRoot('ru', code)).address);
    expect(threadOf(codeRoot('en', code)).address.key).not.toBe(threadOf(codeRoot('ru', code)).address.key);
  });
});

function written(options: Parameters<typeof sealRequest>[2]): WrittenContent {
  const content = openSealed(parseParcel(sealRequest({ language: 'ru', message: 'Здравствуйте' }, verified, options)).sealed, [worker]);
  if (content.kind !== 'letter') throw new Error('no letter');
  const letter = openLetter(content.letter, [volunteer]);
  if (letter.kind !== 'request' && letter.kind !== 'follow-up') throw new Error('nobody wrote it');
  return letter;
}

describe('a letter', () => {
  it('names the thread to answer to, and is signed by it', () => {
    expect(written({ thread }).thread).toMatchObject(thread.address);
    expect(written({ thread, followUp: { team: TEAM } }).kind).toBe('follow-up');
    expect(written({}).thread).toBeUndefined();
  });

  it.each<[string, (content: WrittenContent) => WrittenContent]>([
    ['other words', (content) => ({ ...content, message: 'Другое' })],
    ['another address', (content) => ({ ...content, thread: { ...other.address, signature: content.thread?.signature ?? '' } })],
    [
      'another mailbox',
      (content) => ({ ...content, thread: { ...thread.address, lock: other.address.lock, signature: content.thread?.signature ?? '' } }),
    ],
    ['another kind', (content) => ({ ...content, kind: 'follow-up', thread: content.thread ?? { ...thread.address, signature: '' } })],
    ['another keyring', (content) => ({ ...content, serial: 4 })],
  ])('with %s under the same signature is refused', (_what, change) => {
    const letter = sealLetter(change(written({ thread })), [identityToRecipient(volunteer)]);
    expect(() => openLetter(letter, [volunteer])).toThrow(expect.objectContaining({ code: 'LETTER_THREAD' }));
  });
});

describe('a reply', () => {
  const text = { team: TEAM, text: 'Мы вас услышали.' };

  it('travels in a parcel, is checked by the worker, and opened by the requester', () => {
    const parcel = sealParcel({ kind: 'reply', delivery: sealReply(text, thread.address, signer) }, verified.keyring);
    const content = openSealed(parseParcel(parcel).sealed, [worker]);
    if (content.kind !== 'reply') throw new Error('no reply');
    checkDelivery(content.delivery, signers);
    expect(content.delivery.mailbox).toEqual(mailboxOf(thread.address));
    expect(openReply(content.delivery.reply, thread.identity, thread.signing.key, signers)).toMatchObject(text);
  });

  it('by a stranger is refused by the worker and by the requester', () => {
    const delivery = sealReply(text, thread.address, stranger);
    expect(() => checkDelivery(delivery, signers)).toThrow(expect.objectContaining({ code: 'SIGNER_UNKNOWN' }));
    expect(() => openReply(delivery.reply, thread.identity, thread.signing.key, signers)).toThrow(
      expect.objectContaining({ code: 'SIGNER_UNKNOWN' }),
    );
  });

  it('moved to another mailbox is refused', () => {
    const delivery = { ...sealReply(text, thread.address, signer), mailbox: mailboxOf(other.address) };
    expect(() => checkDelivery(delivery, signers)).toThrow(expect.objectContaining({ code: 'SIGNER_SIGNATURE' }));
  });

  it('of another conversation is refused, even when it was sealed to this one', () => {
    const delivery = sealReply(text, { ...other.address, recipient: thread.address.recipient }, signer);
    expect(() => openReply(delivery.reply, thread.identity, thread.signing.key, signers)).toThrow(
      expect.objectContaining({ code: 'REPLY_THREAD' }),
    );
  });

  it('has the same length up to the longest text, and takes no longer one', () => {
    const room = replyRoom('');
    expect(sealReply({ team: TEAM, text: 'a'.repeat(room), ...LONGEST_ORDER }, thread.address, signer).reply).toHaveLength(REPLY_BYTES);
    expect(() => sealReply({ team: TEAM, text: 'a'.repeat(room + 1), ...LONGEST_ORDER }, thread.address, signer)).toThrow(
      expect.objectContaining({ code: 'REPLY_TOO_LONG' }),
    );
  });
});

describe('deleting', () => {
  const removal = (replies: readonly Uint8Array[], by = thread) =>
    openSealed(parseParcel(sealParcel({ kind: 'delete', thread: by, replies }, verified.keyring)).sealed, [worker]);

  it('is signed by the thread and names its mailbox, with each reply once and in order', () => {
    const ids = ['3', '1', '2'].map((digit) => fromHex(digit.repeat(64)));
    expect(removal([...ids, ...ids])).toEqual({
      kind: 'delete',
      removal: { mailbox: mailboxOf(thread.address), replies: ['1', '2', '3'].map((digit) => fromHex(digit.repeat(32))) },
    });
  });

  it('lists as many as a mailbox holds in one parcel, and neither more nor none', () => {
    const ids = (count: number) => Array.from({ length: count }, () => randomBytes(32));
    expect(removal(ids(MAX_REPLIES))).toMatchObject({ removal: { replies: { length: MAX_REPLIES } } });
    for (const count of [0, MAX_REPLIES + 1]) expect(() => removal(ids(count))).toThrow(expect.objectContaining({ code: 'PARCEL_FORMAT' }));
  });

  it('with another thread’s signature is refused', () => {
    const forged = { ...thread, signing: { key: thread.signing.key, secret: other.signing.secret } };
    expect(() => removal([randomBytes(32)], forged)).toThrow(expect.objectContaining({ code: 'PARCEL_SIGNATURE' }));
  });
});

describe('a note', () => {
  it('is believed as it was signed by a signer', () => {
    const note = signNote({ action: 'claim', thread: thread.address.key, alias: 'Клён', text: '' }, signer);
    checkNote(note, signers);
    expect(() => checkNote({ ...note, alias: 'Дуб' }, signers)).toThrow(expect.objectContaining({ code: 'SIGNER_SIGNATURE' }));
    expect(() => checkNote(signNote(note, stranger), signers)).toThrow(expect.objectContaining({ code: 'SIGNER_UNKNOWN' }));
  });
});

describe('a look into the mailbox', () => {
  it('is as long as a parcel, in both directions', () => {
    const question = { mailboxKey: thread.mailboxKey, threadKey: fromHex(thread.address.key), page: 2 };
    const sent = encodeQuestion(question);
    expect(sent).toHaveLength(24_576);
    expect(parseQuestion(sent)).toEqual(question);
    const places = [randomBytes(REPLY_BYTES), randomBytes(REPLY_BYTES)];
    const answer = encodeMailboxAnswer({ result: 'read', total: 5, retryAfterSeconds: 0, places });
    expect(answer).toHaveLength(24_576);
    expect(parseMailboxAnswer(answer, 0)).toEqual({ result: 'read', total: 5, replies: places });
    expect(parseMailboxAnswer(answer, 2)).toEqual({ result: 'read', total: 5, replies: places.slice(0, 1) });
    expect(parseMailboxAnswer(answer, 3)).toEqual({ result: 'read', total: 5, replies: [] });
  });

  it('is refused when the answer claims more replies than there can be', () => {
    const tell = (total: number): Uint8Array => encodeMailboxAnswer({ result: 'read', total, retryAfterSeconds: 0, places: [] });
    expect(parseMailboxAnswer(tell(864), 0)).toMatchObject({ total: 864 });
    expect(() => parseMailboxAnswer(tell(865), 0)).toThrow(expect.objectContaining({ code: 'MAILBOX_FORMAT' }));
  });
});
