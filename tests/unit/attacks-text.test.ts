// Hostile text and JSON in letters, replies and notes: what comes out, and what is refused.
import { describe, expect, it } from 'vitest';
import { decrypt, encrypt } from '../../crypto/age/age.ts';
import { identityToRecipient } from '../../crypto/age/identity.ts';
import { toHex, utf8 } from '../../crypto/bytes.ts';
import { openLetter, sealLetter } from '../../crypto/letter.ts';
import { checkNote, signNote } from '../../crypto/note.ts';
import { REPLY_PLAINTEXT_BYTES, replyRoom, sealReply } from '../../crypto/reply.ts';
import { padJson } from '../../crypto/schema.ts';
import { requestRoom } from '../../crypto/seal.ts';
import { letterOf, opened, signer, signers, stranger, TEAM, thread, volunteer, wordsIn } from '../support/conversation-keys.ts';

const coded = (code: string): unknown => expect.objectContaining({ code });
const text = { team: TEAM, text: 'Мы вас услышали.' };

describe('text', () => {
  /** Characters from the start, middle and end of every plane, none of them surrogates; and what terminals and layouts obey. */
  const PLANES = Array.from({ length: 17 }, (_, plane) =>
    [0, 0x1234, 0xfffd, 0xfffe, 0xffff].map((at) => String.fromCodePoint(plane * 0x1_0000 + at)).join(''),
  );
  const ESCAPES = '\u001b[2J\u001b]0;x\u0007\u202e\u2066\u200b\ufeff\r\b\u007f\u0085\u2028"\\';

  it.each([...PLANES.map((planeText, i) => [`plane ${String(i)}`, planeText]), ['controls and directions', ESCAPES]])(
    'of %s comes out of a letter, a reply and a note as it went in',
    (_what, planeText = '') => {
      expect(wordsIn(letterOf(planeText, { thread }, planeText))).toMatchObject({ message: planeText, contact: planeText });
      expect(opened(sealReply({ team: TEAM, text: planeText }, thread.address, signer))).toMatchObject({ text: planeText });
      const note = signNote({ action: 'answer', thread: thread.address.key, alias: planeText.slice(0, 40), text: planeText }, signer);
      checkNote(JSON.parse(JSON.stringify(note)) as typeof note, signers);
      expect(note.text).toBe(planeText);
    },
  );

  const LONE_SURROGATES = ['\ud83d', 'a\udd4a', '\udd4a\ud83d', '🕊\ud83d🕊'];
  it.each(LONE_SURROGATES)('with a lone surrogate is sealed with U+FFFD in its place (%#)', (broken) => {
    const mended = broken.replaceAll(/\p{Cs}/gu, '\ufffd');
    expect(wordsIn(letterOf(broken, { thread }, broken))).toMatchObject({ message: mended, contact: mended });
    expect(opened(sealReply({ team: TEAM, text: broken }, thread.address, signer))).toMatchObject({ text: mended });
    const note = signNote({ action: 'handover', thread: thread.address.key, alias: broken, to: broken, text: broken }, signer);
    expect(note).toMatchObject({ alias: mended, to: mended, text: mended });
    checkNote(note, signers);
    expect(requestRoom({ language: 'ru', message: broken })).toBe(requestRoom({ language: 'ru', message: mended }));
    expect(replyRoom(broken)).toBe(replyRoom(mended));
  });

  it('with a lone surrogate under the signature of U+FFFD is refused', () => {
    const letter = wordsIn(letterOf('\ufffd', { thread }));
    expect(() => sealLetter({ ...letter, message: '\ud83d' }, [identityToRecipient(volunteer)])).toThrow(coded('LETTER_FORMAT'));
  });
});

describe('JSON', () => {
  const sealJson = (json: string): Uint8Array => {
    const padded = new Uint8Array(REPLY_PLAINTEXT_BYTES).fill(0x20);
    padded.set(utf8(json));
    return encrypt(padded, [thread.address.recipient]);
  };
  const goodReply = (): string => {
    const { reply } = sealReply(text, thread.address, signer);
    return new TextDecoder().decode(decrypt(reply, [thread.identity])).trimEnd();
  };
  const open = (json: string): unknown => opened({ ...sealReply(text, thread.address, signer), reply: sealJson(json) });

  it('with a duplicate name means the last, which the signature must match', () => {
    const json = goodReply();
    expect(open(json.replace('"text"', '"text":"Другое","text"'))).toMatchObject(text);
    expect(() => open(json.replace(/\}$/, ',"text":"Другое"}'))).toThrow(coded('SIGNER_SIGNATURE'));
    expect(() => open(json.replace(/\}$/, `,"signer":"${toHex(stranger.key)}"}`))).toThrow(coded('SIGNER_UNKNOWN'));
  });

  it('with names of prototypes has no effect on the result or elsewhere', () => {
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
  ])('with %s after it is refused', (_what, tail) => {
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
