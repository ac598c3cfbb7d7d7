// What others could try with a conversation, and the one result that each try has. docs/protocol.md, § Thread, § Reply, § Note.
import { beforeAll, describe, expect, it } from 'vitest';
import { decrypt, encrypt } from '../../crypto/age/age.ts';
import { generateIdentity, identityToRecipient } from '../../crypto/age/identity.ts';
import { randomBytes, toHex, utf8 } from '../../crypto/bytes.ts';
import { codeRoot, makeCode } from '../../crypto/code.ts';
import { signersOf, type Keyring, type Team, type VerifiedKeyring } from '../../crypto/keyring.ts';
import { letterRoom, openLetter, sealLetter, type LetterContent, type NoteContent, type WrittenContent } from '../../crypto/letter.ts';
import { checkNote, signNote } from '../../crypto/note.ts';
import { LONGEST_ORDER } from '../../crypto/order.ts';
import { openSealed, parseParcel, sealParcel } from '../../crypto/parcel.ts';
import { checkDelivery, openReply, REPLY_BYTES, REPLY_PLAINTEXT_BYTES, replyRoom, sealReply, type Delivery } from '../../crypto/reply.ts';
import { padJson } from '../../crypto/schema.ts';
import { requestRoom, sealRequest, type RequestOptions } from '../../crypto/seal.ts';
import { signingKeyPair, type SigningKeyPair } from '../../crypto/sign.ts';
import { ready } from '../../crypto/sodium.ts';
import { mailboxOf, threadOf, type Thread } from '../../crypto/thread.ts';

const TEAM = 'a1b2c3d4e5f60718';
const coded = (code: string): unknown => expect.objectContaining({ code });

let [volunteer, colleague, worker] = ['', '', ''];
let [signer, revoked, stranger]: SigningKeyPair[] = [];
let [thread, other]: Thread[] = [];
let verified: VerifiedKeyring;
let signers: ReadonlySet<string>;

const made = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('not made yet');
  return value;
};
const keyringWith = (...listed: SigningKeyPair[]): Keyring => {
  const team: Team = {
    id: TEAM,
    names: { ru: 'Т' },
    topics: [{ id: 'legal', names: { ru: 'П' } }],
    recipients: [volunteer, colleague].map(identityToRecipient),
    signers: listed.map(({ key }) => toHex(key)),
  };
  return {
    version: 1,
    serial: 3,
    notBefore: '2030-01-07T00:00:00Z',
    notAfter: '2030-01-14T00:00:00Z',
    previous: null,
    worker: identityToRecipient(worker),
    teams: [team],
  };
};

beforeAll(async () => {
  await ready;
  [volunteer, colleague, worker] = [generateIdentity(), generateIdentity(), generateIdentity()];
  [signer, revoked, stranger] = Array.from({ length: 3 }, () => signingKeyPair(randomBytes(32)));
  [thread, other] = Array.from({ length: 2 }, () => threadOf(codeRoot('ru', makeCode())));
  verified = { keyring: keyringWith(made(signer)), digest: 'ab'.repeat(32) };
  signers = signersOf(verified.keyring);
});

function letterOf(message: string, options: RequestOptions, contact?: string): Uint8Array {
  const request = { language: 'ru', message, ...(contact === undefined ? {} : { contact }) };
  const content = openSealed(parseParcel(sealRequest(request, verified, options)).sealed, [worker]);
  if (content.kind !== 'letter') throw new Error('no letter');
  return content.letter;
}
function written(letter: Uint8Array, by = volunteer): WrittenContent {
  const content = openLetter(letter, [by]);
  if (content.kind !== 'request' && content.kind !== 'follow-up') throw new Error('nobody wrote it');
  return content;
}
const text = { team: TEAM, text: 'Мы вас услышали.' };
const opened = ({ reply }: Delivery): unknown => openReply(reply, made(thread).identity, made(thread).signing.key, signers);
const throughWorker = (delivery: Delivery): Delivery => {
  const content = openSealed(parseParcel(sealParcel({ kind: 'reply', delivery }, verified.keyring)).sealed, [worker]);
  if (content.kind !== 'reply') throw new Error('no reply');
  return content.delivery;
};

describe('a reply', () => {
  it('of who was never on the keyring is dropped by the worker and refused by the page', () => {
    const delivery = throughWorker(sealReply(text, made(thread).address, made(stranger)));
    expect(() => {
      checkDelivery(delivery, signers);
    }).toThrow(coded('SIGNER_UNKNOWN'));
    expect(() => opened(delivery)).toThrow(coded('SIGNER_UNKNOWN'));
  });

  it('of who is on the keyring no longer is dropped and refused, as is what they sent before', () => {
    const delivery = throughWorker(sealReply(text, made(thread).address, made(revoked)));
    checkDelivery(delivery, signersOf(keyringWith(made(signer), made(revoked))));
    expect(() => {
      checkDelivery(delivery, signers);
    }).toThrow(coded('SIGNER_UNKNOWN'));
    expect(() => opened(delivery)).toThrow(coded('SIGNER_UNKNOWN'));
  });

  it('in the envelope of somebody listed is still by who wrote it: the page refuses it', () => {
    // Two volunteers together: the revoked one writes, the other one's signature gets it past the worker.
    const inner = sealReply(text, made(thread).address, made(revoked)).reply;
    expect(() => opened({ ...sealReply(text, made(thread).address, made(signer)), reply: inner })).toThrow(coded('SIGNER_UNKNOWN'));
  });

  it('moved to another mailbox is dropped; put there by Redis’s own hand, it does not open', () => {
    const delivery = { ...sealReply(text, made(other).address, made(signer)), mailbox: mailboxOf(made(thread).address) };
    expect(() => {
      checkDelivery(throughWorker(delivery), signers);
    }).toThrow(coded('SIGNER_SIGNATURE'));
    expect(() => opened(delivery)).toThrow(coded('AGE_NO_MATCH'));
  });

  it('re-encrypted by its reader to somebody else is of another conversation', () => {
    const { reply } = sealReply(text, made(other).address, made(signer));
    const again = encrypt(decrypt(reply, [made(other).identity]), [made(thread).address.recipient]);
    expect(() => opened({ ...sealReply(text, made(thread).address, made(signer)), reply: again })).toThrow(coded('REPLY_THREAD'));
  });

  it('sent twice is the same reply, told by its id', () => {
    const { reply } = sealReply(text, made(thread).address, made(signer));
    const again = encrypt(decrypt(reply, [made(thread).identity]), [made(thread).address.recipient]);
    expect(opened({ ...sealReply(text, made(thread).address, made(signer)), reply: again })).toEqual(
      openReply(reply, made(thread).identity, made(thread).signing.key, signers),
    );
  });

  it.each([
    ['letters of one byte', 'a'],
    ['letters of two', 'щ'],
    ['characters that JSON escapes', '\n'],
    ['pairs of surrogates', '🕊'],
  ])('of maximum length arrives whole, and fits into its note: %s', (_what, unit) => {
    const longest = unit.repeat(Math.floor(replyRoom('') / (replyRoom('') - replyRoom(unit))));
    const delivery = throughWorker(sealReply({ team: TEAM, text: longest, ...LONGEST_ORDER }, made(thread).address, made(signer)));
    expect(delivery.reply).toHaveLength(REPLY_BYTES);
    expect(opened(delivery)).toMatchObject({ text: longest });
    expect(() => sealReply({ team: TEAM, text: longest + unit, ...LONGEST_ORDER }, made(thread).address, made(signer))).toThrow(
      coded('REPLY_TOO_LONG'),
    );
    const note = signNote(
      { action: 'answer', thread: made(thread).address.key, alias: '🕊'.repeat(20), to: 'ж'.repeat(40), text: longest, ...LONGEST_ORDER },
      made(signer),
    );
    expect(
      letterRoom({ version: 1, kind: 'note', serial: 0xffff_ffff, keyring: 'ab'.repeat(32), language: 'ru', note }),
    ).toBeGreaterThanOrEqual(0);
  });
});

describe('a follow-up', () => {
  it('with another’s thread is refused', () => {
    const mine = written(letterOf('Это я', { thread: made(other), followUp: {} }));
    const stolen: LetterContent = {
      ...mine,
      kind: 'follow-up',
      thread: { ...made(thread).address, signature: made(mine.thread).signature },
    };
    expect(() => openLetter(sealLetter(stolen, [identityToRecipient(volunteer)]), [volunteer])).toThrow(coded('LETTER_THREAD'));
  });

  it.each(['key', 'lock', 'recipient'] as const)('that wants the answer elsewhere is refused: another %s', (field) => {
    const mine = written(letterOf('Это я', { thread: made(thread), followUp: {} }));
    const diverted: LetterContent = { ...mine, kind: 'follow-up', thread: { ...made(mine.thread), [field]: made(other).address[field] } };
    expect(() => openLetter(sealLetter(diverted, [identityToRecipient(volunteer)]), [volunteer])).toThrow(coded('LETTER_THREAD'));
  });

  it('that names another’s lock under its own key leads to a mailbox of its own', () => {
    const [key, lock] = [made(other).address.key, made(thread).address.lock];
    expect(mailboxOf({ ...made(other).address, key, lock })).not.toEqual(mailboxOf(made(thread).address));
  });

  it('has room for the same words as a request', () => {
    const request = { language: 'ru', message: 'a' };
    const message = 'a'.repeat(1 + requestRoom(request));
    expect(requestRoom({ ...request, message })).toBe(0);
    const most = { ...verified, keyring: { ...verified.keyring, serial: 0xffff_ffff } };
    const longest = { thread: made(thread), followUp: { number: LONGEST_ORDER.number, read: LONGEST_ORDER.earlier } };
    for (const options of [{ thread: made(thread) }, longest]) {
      expect(sealRequest({ ...request, message }, most, options)).toHaveLength(24_576);
    }
    expect(() => sealRequest({ ...request, message: `${message}a` }, most, longest)).toThrow(coded('LETTER_TOO_LONG'));
  });
});

describe('what a co-recipient seals again', () => {
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

  it('is the same letter if its content is, with the same signature', () => {
    const letter = letterOf('Здравствуйте', { thread: made(thread) });
    expect(again(letter)).not.toEqual(letter);
    expect(written(again(letter))).toEqual(written(letter));
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
    const letter = letterOf('Здравствуйте', { thread: made(thread) }, 'a@example.org');
    expect(() => openLetter(again(letter, change), [volunteer])).toThrow(coded('LETTER_THREAD'));
  });

  it('without its thread is a letter that nobody signed: it belongs to no conversation', () => {
    const letter = letterOf('Здравствуйте', { thread: made(thread) });
    expect(written(again(letter, (json) => json.replace(/,"thread":\{[^}]*\}/, ''))).thread).toBeUndefined();
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

  it('is the same note if its content is, with the same id', () => {
    const note = signNote({ action: 'claim', thread: made(thread).address.key, alias: 'Клён', text: 'Отвечу вечером' }, made(signer));
    const found = noteIn(again(noteLetter(note)));
    checkNote(found, signers);
    expect(found).toEqual(note);
    const { id, ...said } = note;
    expect(signNote(said, made(signer)).id).not.toBe(id);
  });

  it.each([
    ['action', (json: string) => json.replace('"claim"', '"handover"')],
    ['alias', (json: string) => json.replace('Клён', 'Дуб')],
    ['text', (json: string) => json.replace('вечером', 'утром')],
    ['id', (json: string) => json.replace(/"id":"[0-9a-f]{4}/, '"id":"0000')],
    ['receiver', (json: string) => json.replace('"text"', '"to":"Дуб","text"')],
  ])('is refused as a note with another %s', (_what, change) => {
    const letter = noteLetter(
      signNote({ action: 'claim', thread: made(thread).address.key, alias: 'Клён', text: 'Отвечу вечером' }, made(signer)),
    );
    expect(() => {
      checkNote(noteIn(again(letter, change)), signers);
    }).toThrow(coded('SIGNER_SIGNATURE'));
  });
});

describe('text', () => {
  /** Of every plane: the first, a middle and the last character that is no surrogate; and what terminals and layouts obey. */
  const PLANES = Array.from({ length: 17 }, (_, plane) =>
    [0, 0x1234, 0xfffd, 0xfffe, 0xffff].map((at) => String.fromCodePoint(plane * 0x1_0000 + at)).join(''),
  );
  const ESCAPES = '\u001b[2J\u001b]0;x\u0007\u202e\u2066\u200b\ufeff\r\b\u007f\u0085\u2028"\\';

  it.each([...PLANES.map((planeText, i) => [`plane ${String(i)}`, planeText]), ['controls and directions', ESCAPES]])(
    'of %s comes out of a letter, a reply and a note as it went in',
    (_what, planeText = '') => {
      expect(written(letterOf(planeText, { thread: made(thread) }, planeText))).toMatchObject({ message: planeText, contact: planeText });
      expect(opened(sealReply({ team: TEAM, text: planeText }, made(thread).address, made(signer)))).toMatchObject({ text: planeText });
      const note = signNote(
        { action: 'answer', thread: made(thread).address.key, alias: planeText.slice(0, 40), text: planeText },
        made(signer),
      );
      checkNote(JSON.parse(JSON.stringify(note)) as typeof note, signers);
      expect(note.text).toBe(planeText);
    },
  );

  it.each(['\ud83d', 'a\udd4a', '\udd4a\ud83d', '🕊\ud83d🕊'])(
    'with half a surrogate pair is sealed with U+FFFD in its place (%#)',
    (broken) => {
      const mended = broken.replaceAll(/\p{Cs}/gu, '\ufffd');
      expect(written(letterOf(broken, { thread: made(thread) }, broken))).toMatchObject({ message: mended, contact: mended });
      expect(opened(sealReply({ team: TEAM, text: broken }, made(thread).address, made(signer)))).toMatchObject({ text: mended });
      const note = signNote(
        { action: 'handover', thread: made(thread).address.key, alias: broken, to: broken, text: broken },
        made(signer),
      );
      expect(note).toMatchObject({ alias: mended, to: mended, text: mended });
      checkNote(note, signers);
      expect(requestRoom({ language: 'ru', message: broken })).toBe(requestRoom({ language: 'ru', message: mended }));
      expect(replyRoom(broken)).toBe(replyRoom(mended));
    },
  );

  it('with half a surrogate pair under the signature of U+FFFD is refused', () => {
    const letter = written(letterOf('\ufffd', { thread: made(thread) }));
    expect(() => sealLetter({ ...letter, message: '\ud83d' }, [identityToRecipient(volunteer)])).toThrow(coded('LETTER_FORMAT'));
  });
});

describe('JSON', () => {
  const sealJson = (json: string): Uint8Array => {
    const padded = new Uint8Array(REPLY_PLAINTEXT_BYTES).fill(0x20);
    padded.set(utf8(json));
    return encrypt(padded, [made(thread).address.recipient]);
  };
  const goodReply = (): string => {
    const { reply } = sealReply(text, made(thread).address, made(signer));
    return new TextDecoder().decode(decrypt(reply, [made(thread).identity])).trimEnd();
  };
  const open = (json: string): unknown => opened({ ...sealReply(text, made(thread).address, made(signer)), reply: sealJson(json) });

  it('with a name twice means the last, which the signature must fit', () => {
    const json = goodReply();
    expect(open(json.replace('"text"', '"text":"Другое","text"'))).toMatchObject(text);
    expect(() => open(json.replace(/\}$/, ',"text":"Другое"}'))).toThrow(coded('SIGNER_SIGNATURE'));
    expect(() => open(json.replace(/\}$/, `,"signer":"${toHex(made(stranger).key)}"}`))).toThrow(coded('SIGNER_UNKNOWN'));
  });

  it('with names of prototypes gets nothing from them, and changes nothing elsewhere', () => {
    const json = goodReply();
    const found = open(json.replace('{', '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"toString":1,'));
    expect(found).toEqual(JSON.parse(json));
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(() => open(`{"__proto__":${json}}`)).toThrow(coded('REPLY_FORMAT'));
  });

  it.each([
    ['another object', '{}'],
    ['a letter', 'x'],
    ['a zero byte', '\0'],
    ['a byte order mark', '\ufeff'],
  ])('with %s after it is none', (_what, tail) => {
    expect(() => open(goodReply() + tail)).toThrow(coded('REPLY_FORMAT'));
    expect(() => open(tail + goodReply())).toThrow(coded('REPLY_FORMAT'));
  });

  it.each(['null', '[]', '1', '"kind"', '{}', '{"kind":"reply"}', '{"kind":["reply"]}'])(
    'that is something else is refused: %s',
    (json) => {
      expect(() => open(json)).toThrow(coded('REPLY_FORMAT'));
      const letter = encrypt(
        padJson(JSON.parse(json), 10_240, 'LETTER_TOO_LONG', 'x'),
        Array.from({ length: 8 }, () => identityToRecipient(volunteer)),
      );
      expect(() => openLetter(letter, [volunteer])).toThrow(coded('LETTER_FORMAT'));
    },
  );
});
