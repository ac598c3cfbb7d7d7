// Attacks on a conversation, and the one result of each. docs/protocol.md, § Thread, § Reply, § Note.
import { describe, expect, it } from 'vitest';
import { decrypt, encrypt } from '../../crypto/age/age.ts';
import { identityToRecipient } from '../../crypto/age/identity.ts';
import { utf8 } from '../../crypto/bytes.ts';
import { signersOf } from '../../crypto/keyring.ts';
import { letterRoom, openLetter, sealLetter, type LetterContent, type NoteContent, type WrittenContent } from '../../crypto/letter.ts';
import { checkNote, signNote } from '../../crypto/note.ts';
import { LONGEST_ORDER } from '../../crypto/order.ts';
import { openSealed, parseParcel, sealParcel } from '../../crypto/parcel.ts';
import { checkDelivery, openReply, REPLY_BYTES, replyRoom, sealReply, type Delivery } from '../../crypto/reply.ts';
import { requestRoom, sealRequest } from '../../crypto/seal.ts';
import { mailboxOf } from '../../crypto/thread.ts';
import {
  colleague,
  keyringWith,
  letterOf,
  opened,
  other,
  revoked,
  signer,
  signers,
  stranger,
  TEAM,
  thread,
  verified,
  volunteer,
  wordsIn,
  worker,
} from '../support/conversation-keys.ts';

const coded = (code: string): unknown => expect.objectContaining({ code });
const text = { team: TEAM, text: 'Мы вас услышали.' };
const throughWorker = (delivery: Delivery): Delivery => {
  const content = openSealed(parseParcel(sealParcel({ kind: 'reply', delivery }, verified.keyring)).sealed, [worker]);
  if (content.kind !== 'reply') throw new Error('no reply');
  return content.delivery;
};

describe('a reply', () => {
  it('of somebody never on the keyring is dropped by the worker and refused by the page', () => {
    const delivery = throughWorker(sealReply(text, thread.address, stranger));
    expect(() => {
      checkDelivery(delivery, signers);
    }).toThrow(coded('SIGNER_UNKNOWN'));
    expect(() => opened(delivery)).toThrow(coded('SIGNER_UNKNOWN'));
  });

  it('of somebody no longer on the keyring is dropped and refused, even if sent before', () => {
    const delivery = throughWorker(sealReply(text, thread.address, revoked));
    checkDelivery(delivery, signersOf(keyringWith(signer, revoked)));
    expect(() => {
      checkDelivery(delivery, signers);
    }).toThrow(coded('SIGNER_UNKNOWN'));
    expect(() => opened(delivery)).toThrow(coded('SIGNER_UNKNOWN'));
  });

  it('in the delivery of a listed signer is still by its author, and the page refuses it', () => {
    // Two volunteers collude: the revoked one writes, and the other one's signature gets it past the worker.
    const inner = sealReply(text, thread.address, revoked).reply;
    expect(() => opened({ ...sealReply(text, thread.address, signer), reply: inner })).toThrow(coded('SIGNER_UNKNOWN'));
  });

  it('moved to another mailbox is dropped; written there directly in Redis, it does not open', () => {
    const delivery = { ...sealReply(text, other.address, signer), mailbox: mailboxOf(thread.address) };
    expect(() => {
      checkDelivery(throughWorker(delivery), signers);
    }).toThrow(coded('SIGNER_SIGNATURE'));
    expect(() => opened(delivery)).toThrow(coded('AGE_NO_MATCH'));
  });

  it('re-encrypted by its reader to somebody else is recognised as of another conversation', () => {
    const { reply } = sealReply(text, other.address, signer);
    const again = encrypt(decrypt(reply, [other.identity]), [thread.address.recipient]);
    expect(() => opened({ ...sealReply(text, thread.address, signer), reply: again })).toThrow(coded('REPLY_THREAD'));
  });

  it('sent twice is recognised by its id as the same reply', () => {
    const { reply } = sealReply(text, thread.address, signer);
    const again = encrypt(decrypt(reply, [thread.identity]), [thread.address.recipient]);
    expect(opened({ ...sealReply(text, thread.address, signer), reply: again })).toEqual(
      openReply(reply, thread.identity, thread.signing.key, signers),
    );
  });

  it.each([
    ['letters of one byte', 'a'],
    ['letters of two', 'щ'],
    ['characters that JSON escapes', '\n'],
    ['pairs of surrogates', '🕊'],
  ])('of maximum length arrives whole, and fits into its note: %s', (_what, unit) => {
    const longest = unit.repeat(Math.floor(replyRoom('') / (replyRoom('') - replyRoom(unit))));
    const delivery = throughWorker(sealReply({ team: TEAM, text: longest, ...LONGEST_ORDER }, thread.address, signer));
    expect(delivery.reply).toHaveLength(REPLY_BYTES);
    expect(opened(delivery)).toMatchObject({ text: longest });
    expect(() => sealReply({ team: TEAM, text: longest + unit, ...LONGEST_ORDER }, thread.address, signer)).toThrow(
      coded('REPLY_TOO_LONG'),
    );
    const note = signNote(
      { action: 'answer', thread: thread.address.key, alias: '🕊'.repeat(20), to: 'ж'.repeat(40), text: longest, ...LONGEST_ORDER },
      signer,
    );
    expect(
      letterRoom({ version: 1, kind: 'note', serial: 0xffff_ffff, keyring: 'ab'.repeat(32), language: 'ru', note }),
    ).toBeGreaterThanOrEqual(0);
  });
});

describe('a follow-up', () => {
  const threadIn = (content: WrittenContent): NonNullable<WrittenContent['thread']> => {
    if (content.thread === undefined) throw new Error('nobody signed it');
    return content.thread;
  };

  it('with another’s thread is refused', () => {
    const mine = wordsIn(letterOf('Это я', { thread: other, followUp: {} }));
    const stolen: LetterContent = { ...mine, kind: 'follow-up', thread: { ...thread.address, signature: threadIn(mine).signature } };
    expect(() => openLetter(sealLetter(stolen, [identityToRecipient(volunteer)]), [volunteer])).toThrow(coded('LETTER_THREAD'));
  });

  it.each(['key', 'lock', 'recipient'] as const)('that wants the answer elsewhere is refused: another %s', (field) => {
    const mine = wordsIn(letterOf('Это я', { thread, followUp: {} }));
    const diverted: LetterContent = { ...mine, kind: 'follow-up', thread: { ...threadIn(mine), [field]: other.address[field] } };
    expect(() => openLetter(sealLetter(diverted, [identityToRecipient(volunteer)]), [volunteer])).toThrow(coded('LETTER_THREAD'));
  });

  it('that names another’s lock under its own key leads to its own mailbox', () => {
    const [key, lock] = [other.address.key, thread.address.lock];
    expect(mailboxOf({ ...other.address, key, lock })).not.toEqual(mailboxOf(thread.address));
  });

  it('has as much room for words as a request', () => {
    const request = { language: 'ru', message: 'a' };
    const message = 'a'.repeat(1 + requestRoom(request));
    expect(requestRoom({ ...request, message })).toBe(0);
    const most = { ...verified, keyring: { ...verified.keyring, serial: 0xffff_ffff } };
    const longest = { thread, followUp: { number: LONGEST_ORDER.number, read: LONGEST_ORDER.earlier } };
    for (const options of [{ thread }, longest]) {
      expect(sealRequest({ ...request, message }, most, options)).toHaveLength(24_576);
    }
    expect(() => sealRequest({ ...request, message: `${message}a` }, most, longest)).toThrow(coded('LETTER_TOO_LONG'));
  });
});

describe('a letter that a co-recipient seals again', () => {
  const again = (letter: Uint8Array, change: (json: string) => string = (json) => json): Uint8Array => {
    const plaintext = decrypt(letter, [colleague]);
    const json = change(new TextDecoder().decode(plaintext).trimEnd());
    const padded = new Uint8Array(plaintext.length).fill(0x20);
    padded.set(utf8(json));
    return encrypt(
      padded,
      Array.from({ length: 8 }, () => identityToRecipient(volunteer)),
    );
  };

  it('is the same letter if its content is the same, with the same signature', () => {
    const letter = letterOf('Здравствуйте', { thread });
    expect(again(letter)).not.toEqual(letter);
    expect(wordsIn(again(letter))).toEqual(wordsIn(letter));
  });

  it.each([
    ['words', (json: string) => json.replace('Здравствуйте', 'До свидания')],
    ['language', (json: string) => json.replace('"language":"ru"', '"language":"en"')],
    ['serial', (json: string) => json.replace('"serial":3', '"serial":4')],
    ['keyring', (json: string) => json.replace(/"keyring":"ab/, '"keyring":"ba')],
    ['topic', (json: string) => json.replace('"language"', '"topic":"legal","language"')],
    ['contact', (json: string) => json.replace('a@example.org', 'b@example.org')],
    ['kind', (json: string) => json.replace('"request"', '"follow-up"')],
  ])('is refused with another %s', (_what, change) => {
    const letter = letterOf('Здравствуйте', { thread }, 'a@example.org');
    expect(() => openLetter(again(letter, change), [volunteer])).toThrow(coded('LETTER_THREAD'));
  });

  it('without its thread is an unsigned letter, which belongs to no conversation', () => {
    const letter = letterOf('Здравствуйте', { thread });
    expect(wordsIn(again(letter, (json) => json.replace(/,"thread":\{[^}]*\}/, ''))).thread).toBeUndefined();
  });

  function noteLetter(note: NoteContent['note']): Uint8Array {
    return sealLetter(
      { version: 1, kind: 'note', serial: 3, keyring: 'ab'.repeat(32), language: 'ru', note },
      [volunteer, colleague].map(identityToRecipient),
    );
  }
  const noteIn = (letter: Uint8Array): NoteContent['note'] => {
    const content = openLetter(letter, [volunteer]);
    if (content.kind !== 'note') throw new Error('no note');
    return content.note;
  };

  it('is the same note if its content is the same, with the same id', () => {
    const note = signNote({ action: 'claim', thread: thread.address.key, alias: 'Клён', text: 'Отвечу вечером' }, signer);
    const found = noteIn(again(noteLetter(note)));
    checkNote(found, signers);
    expect(found).toEqual(note);
    const { id, ...said } = note;
    expect(signNote(said, signer).id).not.toBe(id);
  });

  it.each([
    ['action', (json: string) => json.replace('"claim"', '"handover"')],
    ['alias', (json: string) => json.replace('Клён', 'Дуб')],
    ['text', (json: string) => json.replace('вечером', 'утром')],
    ['id', (json: string) => json.replace(/"id":"[0-9a-f]{4}/, '"id":"0000')],
    ['receiver', (json: string) => json.replace('"text"', '"to":"Дуб","text"')],
  ])('is refused as a note with another %s', (_what, change) => {
    const letter = noteLetter(signNote({ action: 'claim', thread: thread.address.key, alias: 'Клён', text: 'Отвечу вечером' }, signer));
    expect(() => {
      checkNote(noteIn(again(letter, change)), signers);
    }).toThrow(coded('SIGNER_SIGNATURE'));
  });
});
