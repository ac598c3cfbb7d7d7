// The vectors of a conversation: codes, threads, replies, notes, mailboxes. Called by make.ts.
import { encrypt } from '../../crypto/age/age.ts';
import { bech32 } from '@scure/base';
import { identityToRecipient, PUBLIC_KEY_BYTES } from '../../crypto/age/identity.ts';
import { concat, fromHex, randomBytes, toHex, uint32, utf8 } from '../../crypto/bytes.ts';
import { codeRoot, readCode, wordsOf, type Code } from '../../crypto/code.ts';
import { LETTER_PLAINTEXT_BYTES, sealLetter, type LetterContent } from '../../crypto/letter.ts';
import { MAX_REPLIES } from '../../crypto/mailbox-limits.ts';
import { encodeMailboxAnswer, encodeQuestion } from '../../crypto/mailbox.ts';
import { signNote } from '../../crypto/note.ts';
import { PARCEL_PLAINTEXT_BYTES } from '../../crypto/parcel.ts';
import { REPLY_BYTES, REPLY_PLAINTEXT_BYTES, replyId, sealReply } from '../../crypto/reply.ts';
import { padJson } from '../../crypto/schema.ts';
import { signingKeyPair, signParts } from '../../crypto/sign.ts';
import { mailboxOf, signAddress, threadOf, type Thread } from '../../crypto/thread.ts';
import { WORD_LIST_LENGTH } from '../../crypto/words.ts';
import type { Edit, Vector } from './run.ts';

type Given = {
  readonly volunteer: string;
  readonly colleague: string;
  readonly worker: string;
  readonly team: string;
  readonly serial: number;
  readonly digest: string;
};
type Made = {
  readonly identities: Record<string, string>;
  readonly words: string;
  readonly blobs: Record<string, Uint8Array>;
  readonly vectors: Vector[];
};

const SYLLABLES = [...'бвгдзклмнпрт'].flatMap((consonant) => [...'аео'].map((vowel) => consonant + vowel));
export const LIST = SYLLABLES.flatMap((first) => SYLLABLES.map((second) => `${first}${second}й`));

/** Of the code that most vectors use. */
export const ELEVEN = [0, 1295, 7, 255, 256, 1024, 640, 36, 7, 1000, 511] as const;

/** The code of eleven places: its check word is the one that fits. */
export function codeOf(eleven: readonly number[]): Code {
  for (let check = 0; check < WORD_LIST_LENGTH; check += 1) {
    const read = readCode(wordsOf([...eleven, check], LIST).join(' '), LIST);
    if ('code' in read) return read.code;
  }
  throw new Error('no check word fits');
}

/** A key pair of a seed that everybody can have: the vectors of signatures then stay the same. */
const keyPair = (byte: number): ReturnType<typeof signingKeyPair> => signingKeyPair(new Uint8Array(32).fill(byte));
const fails = (error: string): Vector['expect'] => ({ error });

export function conversationVectors({ volunteer, colleague, worker, team, serial, digest }: Given): Made {
  const code = codeOf(ELEVEN);
  const shown = wordsOf(code, LIST);
  const thread = threadOf(codeRoot('ru', code));
  const other = threadOf(codeRoot('en', code));
  const [signer, revoked] = [keyPair(1), keyPair(2)];
  const signers = [toHex(signer.key)];
  const blobs: Record<string, Uint8Array> = {};
  const vectors: Vector[] = [];
  const add = (name: string, op: Vector['op'], bytes: Uint8Array, expect: Vector['expect'], more: Partial<Vector> = {}): void => {
    blobs[name] = bytes;
    vectors.push({ name, op, input: name, expect, ...more });
  };

  // Codes and what follows from them.
  const read = (name: string, text: string, value: unknown): void => add(name, 'readCode', utf8(text), { value });
  const problem = (name: string, text: string, what: unknown): void => read(name, text, { problem: what });
  read('a code', shown.join(' '), { code });
  read('a code in capitals, with Ё for Е and other separators', shown.join(', ').toUpperCase().replaceAll('Е', 'Ё'), { code });
  read('a code in decomposed letters', shown.join('\n').normalize('NFD'), { code });
  read('a code of first four letters', shown.map((word) => word.slice(0, 4)).join('-'), { code });
  problem('a code with a word of another list', shown.with(3, 'window').join(' '), { kind: 'word', position: 4 });
  read('a code in lines with №', shown.map((word, i) => `№${String(i + 1)} ${word}`).join('\n'), { code });
  read('a code with a label before each word', shown.map((word, i) => `Слово ${String(i + 1)}: ${word}`).join('\r\n'), { code });
  read('a code with ordinals', shown.map((word, i) => `${String(i + 1)}-е ${word}`).join('; '), { code });
  read('a code with letters for numbers', shown.map((word, i) => `${'абвгдежзиклм'[i] ?? ''}) ${word}`).join('\n'), { code });
  read(
    'a code with characters that nobody sees',
    shown.map((word) => `\ufeff${word.slice(0, 2)}\u200b\u00ad\u2060${word.slice(2)}\u200e`).join(' '),
    { code },
  );
  read('a code with accents', shown.map((word) => `${word.slice(0, 2)}\u0301${word.slice(2)}`).join(' '), { code });
  read(
    'a code in letters that look like its own',
    shown.join(' ').replaceAll('а', 'a').replaceAll('е', 'e').replaceAll('о', 'o').replaceAll('к', 'k'),
    { code },
  );
  read('a code with hyphens at the ends of lines', shown.map((word) => `${word.slice(0, 3)}-\n${word.slice(3)}`).join(' '), { code });
  problem(
    'a code in lines with №, one word of which is none',
    shown
      .with(4, 'бабочка')
      .map((word, i) => `№${String(i + 1)} ${word}`)
      .join('\n'),
    { kind: 'word', position: 5 },
  );
  problem(
    'a code with a label, one word of which is none',
    shown
      .with(4, 'бабочка')
      .map((word, i) => `слово ${String(i + 1)}: ${word}`)
      .join('\n'),
    { kind: 'word', position: 5 },
  );
  problem('a code with a word cut to three letters', shown.with(9, 'баб').join(' '), { kind: 'word', position: 10 });
  problem('a code with a word that goes on in another way', shown.with(0, 'бабочка').join(' '), { kind: 'word', position: 1 });
  problem('a code of eleven words', shown.slice(1).join(' '), { kind: 'count', count: 11 });
  problem('a code of thirteen words', [...shown, shown[0]].join(' '), { kind: 'count', count: 13 });
  problem('no code at all', ' … ', { kind: 'count', count: 0 });
  problem('a code with another check word', wordsOf(code.with(11, ((code[11] ?? 0) + 1) % WORD_LIST_LENGTH), LIST).join(' '), {
    kind: 'check',
  });
  problem('a code with two words swapped', wordsOf(code.with(1, code[2] ?? 0).with(2, code[1] ?? 0), LIST).join(' '), { kind: 'check' });
  for (const [language, { signing, identity, mailboxKey, teamKey, address }] of [
    ['ru', thread],
    ['en', other],
  ] as const) {
    const value = {
      root: toHex(codeRoot(language, code)),
      seed: toHex(signing.secret.slice(0, 32)),
      identity,
      mailboxKey: toHex(mailboxKey),
      teamKey: toHex(teamKey),
      ...address,
      mailbox: toHex(mailboxOf(address)),
    };
    add(`a thread of a code of the list "${language}"`, 'threadOf', utf8(shown.join(' ')), { value }, { language });
  }

  // Letters.
  const sealedUnder = { version: 1 as const, serial, keyring: digest, language: 'ru' };
  const to = [volunteer, colleague].map(identityToRecipient);
  const opens = { identities: ['colleague'] };
  const letter = (name: string, content: LetterContent, expect: Vector['expect'] = { value: content }): void =>
    add(name, 'openLetter', sealLetter(content, to), expect, opens);
  const raw = (name: string, json: string, expect: Vector['expect']): void => {
    const plaintext = new Uint8Array(LETTER_PLAINTEXT_BYTES).fill(0x20);
    plaintext.set(utf8(json));
    add(
      name,
      'openLetter',
      encrypt(
        plaintext,
        Array.from({ length: 8 }, () => to[1] ?? ''),
      ),
      expect,
      opens,
    );
  };
  const said = { ...sealedUnder, kind: 'request' as const, topic: 'legal', message: 'Здравствуйте 🕊', contact: 'почта: a@example.org' };
  const further = { ...sealedUnder, kind: 'follow-up' as const, message: 'И ещё одно.' };
  const known = ['0f1e2d3c4b5a6978', 'ffffffffffffffff'];
  const placed = { ...further, number: 3, read: known };
  const signed = { ...said, thread: signAddress(said, thread) };
  const bad = fails('LETTER_THREAD');
  letter('a request that names a thread', signed);
  letter('a follow-up', { ...placed, thread: signAddress(placed, thread) });
  letter('a follow-up from before there was an order', { ...further, thread: signAddress(further, thread) });
  letter('a follow-up with another number under the same signature', { ...placed, number: 4, thread: signAddress(placed, thread) }, bad);
  letter(
    'a follow-up that had read less under the same signature',
    { ...placed, read: known.slice(1), thread: signAddress(placed, thread) },
    bad,
  );
  letter('a follow-up that loses its order', { ...further, thread: signAddress(placed, thread) }, bad);
  raw(
    'a follow-up with a number and nothing about what was read',
    JSON.stringify({ ...further, number: 3, thread: signAddress({ ...further, number: 3 }, thread) }),
    fails('LETTER_FORMAT'),
  );
  raw(
    'a follow-up with the number 0',
    JSON.stringify({ ...placed, number: 0, thread: signAddress({ ...placed, number: 0 }, thread) }),
    fails('LETTER_FORMAT'),
  );
  raw(
    'a follow-up with a short id in capitals',
    JSON.stringify({ ...placed, read: ['FFFFFFFFFFFFFFFF'], thread: signAddress(placed, thread) }),
    fails('LETTER_FORMAT'),
  );
  letter('a request without topic and contact that names a thread', {
    ...further,
    kind: 'request',
    thread: signAddress({ ...further, kind: 'request' }, thread),
  });
  letter('a request with other words under the same signature', { ...signed, message: 'Здравствуйте' }, bad);
  letter('a request passed off as a follow-up', { ...signed, kind: 'follow-up' }, bad);
  letter('a request that loses its contact', { ...said, contact: undefined, thread: signed.thread }, bad);
  letter('a request with another lock', { ...signed, thread: { ...signed.thread, lock: other.address.lock } }, bad);
  letter('a request with another recipient', { ...signed, thread: { ...signed.thread, recipient: other.address.recipient } }, bad);
  letter('a follow-up signed by another thread', { ...further, thread: { ...signAddress(further, other), ...thread.address } }, bad);
  letter(
    'a request whose thread is a key of small order',
    { ...signed, thread: { ...signed.thread, key: '00'.repeat(32), signature: '00'.repeat(64) } },
    bad,
  );
  raw('a follow-up without a thread', JSON.stringify(further), fails('LETTER_FORMAT'));
  raw(
    'a request with a signature cut short',
    JSON.stringify({ ...signed, thread: { ...signed.thread, signature: 'ab' } }),
    fails('LETTER_FORMAT'),
  );
  raw('a request with half a surrogate pair', JSON.stringify({ ...said, message: '\ud83d' }), fails('LETTER_FORMAT'));
  raw('a request with a message twice: the last counts', JSON.stringify(signed).replace('"message"', '"message":"Другое","message"'), {
    value: signed,
  });
  raw('a request with another message last', JSON.stringify(signed).replace(/\}$/, ',"message":"Другое"}'), bad);
  raw('a request with fields that are not known', JSON.stringify(signed).replace('{', '{"__proto__":{"kind":"cover"},"more":1,'), {
    value: signed,
  });
  raw('a request whose fields are in __proto__', `{"__proto__":${JSON.stringify(said)}}`, fails('LETTER_FORMAT'));
  raw('a request with something after it', `${JSON.stringify(said)} x`, fails('LETTER_FORMAT'));
  raw('a request with white space of JSON around it', `\n\t ${JSON.stringify(said, null, 1)}\r\n\t`, { value: said });
  raw('a request after a byte order mark', `\ufeff${JSON.stringify(said)}`, fails('LETTER_FORMAT'));
  raw('a request before a zero byte', `${JSON.stringify(said)}\0`, fails('LETTER_FORMAT'));
  raw('a request with an empty contact', JSON.stringify({ ...said, contact: '' }), { value: { ...said, contact: '' } });
  raw('a request with a contact that is null', JSON.stringify({ ...said, contact: null }), fails('LETTER_FORMAT'));
  raw('a request of a serial of more than four bytes', JSON.stringify({ ...said, serial: 4_294_967_296 }), fails('LETTER_FORMAT'));
  raw('a request with a digest in upper case', JSON.stringify({ ...said, keyring: 'AB'.repeat(32) }), fails('LETTER_FORMAT'));
  raw('a request in a language in upper case', JSON.stringify({ ...said, language: 'RU' }), fails('LETTER_FORMAT'));
  const unusable = {
    ...thread,
    address: { ...thread.address, recipient: bech32.encode('age1pq', bech32.toWords(new Uint8Array(PUBLIC_KEY_BYTES).fill(0xff)), false) },
  };
  const unanswerable = { ...said, thread: signAddress(said, unusable) };
  letter('a request whose recipient has the form of one, and nothing can be sealed to it', unanswerable);
  raw('a letter of an unknown kind', JSON.stringify({ ...said, kind: 'reply' }), fails('LETTER_FORMAT'));
  letter('a cover letter', { ...sealedUnder, kind: 'cover' });

  // Notes.
  const note = signNote(
    {
      action: 'handover',
      thread: thread.address.key,
      alias: 'Клён',
      to: 'Дуб',
      text: 'Возьми, пожалуйста.',
      number: 2 ** 31 - 1,
      earlier: known,
    },
    signer,
  );
  const noted = { ...sealedUnder, kind: 'note' as const, note };
  letter('a note', noted);
  const checked = (name: string, content: LetterContent, expect: Vector['expect']): void =>
    add(name, 'checkNote', sealLetter(content, to), expect, { ...opens, signers });
  checked('a note by a signer', noted, { value: 'handover' });
  const signedNote = (change: Partial<Parameters<typeof signNote>[0]>): LetterContent => ({
    ...noted,
    note: signNote({ ...note, ...change }, signer),
  });
  checked('a note by an alias of 40 characters', signedNote({ alias: '🕊'.repeat(40) }), { value: 'handover' });
  raw(
    'a note by an alias of 41 characters',
    JSON.stringify({ ...noted, note: { ...note, alias: '🕊'.repeat(41) } }),
    fails('LETTER_FORMAT'),
  );
  raw('a note to nobody, as an empty alias', JSON.stringify({ ...noted, note: { ...note, to: '' } }), fails('LETTER_FORMAT'));
  checked('a handover to whoever takes it', signedNote({ to: undefined }), { value: 'handover' });
  checked('a claim that names somebody, and has no words', signedNote({ action: 'claim', text: '' }), { value: 'claim' });
  checked('a note of another action under the same signature', { ...noted, note: { ...note, action: 'claim' } }, fails('SIGNER_SIGNATURE'));
  checked('a note handed to somebody else', { ...noted, note: { ...note, to: 'Вяз' } }, fails('SIGNER_SIGNATURE'));
  checked('a note with another number under the same signature', { ...noted, note: { ...note, number: 1 } }, fails('SIGNER_SIGNATURE'));
  checked('a note that knew less under the same signature', { ...noted, note: { ...note, earlier: [] } }, fails('SIGNER_SIGNATURE'));
  const unplaced = {
    action: note.action,
    thread: note.thread,
    alias: note.alias,
    to: note.to,
    text: note.text,
    id: note.id,
    signer: note.signer,
    signature: note.signature,
  };
  checked('a note that loses its order', { ...noted, note: unplaced }, fails('SIGNER_SIGNATURE'));
  const oldParts = [note.action, note.thread, note.alias, note.to ?? '', note.text, note.id];
  checked(
    'a note from before there was an order',
    { ...noted, note: { ...unplaced, signature: toHex(signParts('note', oldParts, signer)) } },
    { value: 'handover' },
  );
  raw('a note with a number above 2147483647', JSON.stringify({ ...noted, note: { ...note, number: 2 ** 31 } }), fails('LETTER_FORMAT'));
  raw(
    'a note that knows seventeen answers',
    JSON.stringify({ ...noted, note: { ...note, earlier: Array.from({ length: 17 }, () => known[0]) } }),
    fails('LETTER_FORMAT'),
  );
  raw(
    'a note with a number and no earlier answers named',
    JSON.stringify({ ...noted, note: { ...note, earlier: undefined } }),
    fails('LETTER_FORMAT'),
  );
  checked('a note by who is no signer', { ...noted, note: signNote(note, revoked) }, fails('SIGNER_UNKNOWN'));
  checked('a note in a signer’s name', { ...noted, note: { ...signNote(note, revoked), signer: note.signer } }, fails('SIGNER_SIGNATURE'));

  // Replies: what is inside.
  const said2 = { team, text: 'Мы вас услышали.' };
  const delivery = sealReply(said2, thread.address, signer);
  const inside = {
    version: 1,
    kind: 'reply',
    thread: thread.address.key,
    team,
    id: '0f'.repeat(16),
    text: said2.text,
    number: 5,
    earlier: known,
  };
  const signReply = (content: typeof inside, by: typeof signer): object => ({
    ...content,
    signer: toHex(by.key),
    signature: toHex(
      signParts('reply', [content.thread, content.team, content.id, content.text, String(content.number), content.earlier.join('')], by),
    ),
  });
  const sealInside = (content: object): Uint8Array =>
    encrypt(padJson(content, REPLY_PLAINTEXT_BYTES, 'REPLY_TOO_LONG', 'the reply'), [thread.address.recipient]);
  const own = { identities: ['requester'], thread: thread.address.key, signers };
  const reply = (name: string, bytes: Uint8Array, expect: Vector['expect'], more: Partial<Vector> = {}): void =>
    add(name, 'openReply', bytes, expect, { ...own, ...more });
  const good = signReply(inside, signer);
  const edits = (...each: Edit[]): Partial<Vector> => ({ edits: each });
  reply('a reply', sealInside(good), { value: good });
  reply('a reply to another requester', delivery.reply, fails('AGE_NO_MATCH'), { identities: ['stranger'] });
  reply('a reply of another thread', sealInside(signReply({ ...inside, thread: other.address.key }, signer)), fails('REPLY_THREAD'));
  reply('a reply by who is no signer (any more)', sealInside(signReply(inside, revoked)), fails('SIGNER_UNKNOWN'));
  reply('a reply in a signer’s name', sealInside({ ...signReply(inside, revoked), signer: toHex(signer.key) }), fails('SIGNER_SIGNATURE'));
  reply('a reply with other words under the same signature', sealInside({ ...good, text: 'Другое' }), fails('SIGNER_SIGNATURE'));
  reply('a reply that sends follow-ups to another team', sealInside({ ...good, team: '0'.repeat(16) }), fails('SIGNER_SIGNATURE'));
  reply('a reply with another number under the same signature', sealInside({ ...good, number: 6 }), fails('SIGNER_SIGNATURE'));
  reply(
    'a reply that knows other answers under the same signature',
    sealInside({ ...good, earlier: known.toReversed() }),
    fails('SIGNER_SIGNATURE'),
  );
  reply('a reply that knows none', sealInside(signReply({ ...inside, number: 1, earlier: [] }, signer)), {
    value: signReply({ ...inside, number: 1, earlier: [] }, signer),
  });
  reply('a reply with the number 0', sealInside(signReply({ ...inside, number: 0 }, signer)), fails('REPLY_FORMAT'));
  reply('a reply with a number that is no whole one', sealInside(signReply({ ...inside, number: 1.5 }, signer)), fails('REPLY_FORMAT'));
  reply(
    'a reply that knows seventeen answers',
    sealInside(signReply({ ...inside, earlier: Array.from({ length: 17 }, () => '0'.repeat(16)) }, signer)),
    fails('REPLY_FORMAT'),
  );
  reply('a reply with a number and no earlier answers named', sealInside({ ...good, earlier: undefined }), fails('REPLY_FORMAT'));
  const old = {
    version: 1,
    kind: 'reply',
    thread: inside.thread,
    team,
    id: inside.id,
    text: inside.text,
    signer: toHex(signer.key),
    signature: toHex(signParts('reply', [inside.thread, team, inside.id, inside.text], signer)),
  };
  reply('a reply from before there was an order', sealInside(old), { value: old });
  reply('a reply that gets a number under an old signature', sealInside({ ...old, number: 5, earlier: [] }), fails('SIGNER_SIGNATURE'));
  reply('a reply of another version', sealInside({ ...good, version: 2 }), fails('REPLY_FORMAT'));
  reply('a reply without words', sealInside(signReply({ ...inside, text: '' }, signer)), fails('REPLY_FORMAT'));
  reply('a reply with half a surrogate pair', sealInside(signReply({ ...inside, text: '\udd4a' }, signer)), fails('REPLY_FORMAT'));
  reply('a reply of no JSON', encrypt(new Uint8Array(REPLY_PLAINTEXT_BYTES), [thread.address.recipient]), fails('REPLY_FORMAT'));
  reply('a reply cut by a byte', delivery.reply, fails('REPLY_STRUCTURE'), edits({ cut: 1 }));
  reply('a reply with another stanza type', delivery.reply, fails('REPLY_STRUCTURE'), edits({ at: 25, set: '58' }));
  reply('a reply with a changed payload', delivery.reply, fails('AGE_PAYLOAD'), edits({ at: 9_000, set: '0000000000000000' }));

  // Parcels of kind 2 and 3.
  const sealed = (kind: number, ...parts: readonly Uint8Array[]): Uint8Array => {
    const plaintext = new Uint8Array(PARCEL_PLAINTEXT_BYTES);
    plaintext.set(concat(Uint8Array.of(kind), ...parts));
    return encrypt(plaintext, [identityToRecipient(worker)]);
  };
  const byWorker = { identities: ['worker'] };
  const { mailbox, signer: by, signature, reply: sealedReply } = delivery;
  const summary = { kind: 'reply', mailbox: toHex(mailbox), signer: toHex(by), reply: toHex(replyId(sealedReply)) };
  const parcel = (name: string, bytes: Uint8Array, expect: Vector['expect']): void => add(name, 'openSealed', bytes, expect, byWorker);
  parcel('a reply in a parcel', sealed(2, mailbox, by, signature, sealedReply), { value: summary });
  parcel('a reply in a parcel, padding not zero', sealed(2, mailbox, by, signature, sealedReply, Uint8Array.of(1)), fails('PARCEL_FORMAT'));
  parcel(
    'a reply in a parcel without the structure of one',
    sealed(2, mailbox, by, signature, new Uint8Array(REPLY_BYTES)),
    fails('REPLY_STRUCTURE'),
  );
  parcel(
    'a reply in a parcel, to two recipients',
    sealed(2, mailbox, by, signature, encrypt(new Uint8Array(REPLY_PLAINTEXT_BYTES - 1557), to)),
    fails('REPLY_STRUCTURE'),
  );
  const believed = (name: string, bytes: Uint8Array, expect: Vector['expect']): void =>
    add(name, 'checkDelivery', bytes, expect, { ...byWorker, signers });
  const foreign = sealReply(said2, thread.address, revoked);
  believed('a reply by a signer', sealed(2, mailbox, by, signature, sealedReply), { value: 'believed' });
  believed('a reply by a stranger', sealed(2, mailbox, foreign.signer, foreign.signature, foreign.reply), fails('SIGNER_UNKNOWN'));
  believed('a reply of a stranger in a signer’s name', sealed(2, mailbox, by, foreign.signature, foreign.reply), fails('SIGNER_SIGNATURE'));
  believed('a reply moved to another mailbox', sealed(2, mailboxOf(other.address), by, signature, sealedReply), fails('SIGNER_SIGNATURE'));
  believed('another reply under the same signature', sealed(2, mailbox, by, signature, foreign.reply), fails('SIGNER_SIGNATURE'));

  const removal = (
    { signing, address: { lock } }: Thread,
    ids: readonly Uint8Array[],
    signedBy = signing,
  ): [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array] => {
    const [lockBytes, list] = [fromHex(lock), concat(...ids)];
    return [signing.key, lockBytes, signParts('delete', [lockBytes, list], signedBy), uint32(ids.length), list];
  };
  const one = replyId(sealedReply).subarray(0, 16);
  const three = [10, 20, 30].map((byte) => new Uint8Array(16).fill(byte));
  const most = Array.from({ length: MAX_REPLIES }, (_, i) => concat(uint32(i), new Uint8Array(12)));
  const [first = one, second = one] = three;
  const removed = (ids: readonly Uint8Array[]): Vector['expect'] => ({
    value: { kind: 'delete', mailbox: toHex(mailbox), replies: ids.map(toHex) },
  });
  parcel('deleting a reply', sealed(3, ...removal(thread, [one])), removed([one]));
  parcel('deleting three replies', sealed(3, ...removal(thread, three)), removed(three));
  parcel('deleting as many replies as a mailbox holds', sealed(3, ...removal(thread, most)), removed(most));
  parcel(
    'deleting more replies than a mailbox holds',
    sealed(3, ...removal(thread, [...most, new Uint8Array(16).fill(255)])),
    fails('PARCEL_FORMAT'),
  );
  parcel('deleting nothing', sealed(3, ...removal(thread, [])), fails('PARCEL_FORMAT'));
  parcel('deleting replies in another order', sealed(3, ...removal(thread, three.toReversed())), fails('PARCEL_FORMAT'));
  parcel('deleting a reply listed twice', sealed(3, ...removal(thread, [first, first])), fails('PARCEL_FORMAT'));
  parcel('deleting, padding not zero', sealed(3, ...removal(thread, [one]), Uint8Array.of(1)), fails('PARCEL_FORMAT'));
  parcel('deleting, a reply more than is counted', sealed(3, ...removal(thread, three).with(3, uint32(2))), fails('PARCEL_FORMAT'));
  parcel('deleting, signed by another thread', sealed(3, ...removal(thread, [one], other.signing)), fails('PARCEL_SIGNATURE'));
  parcel(
    'deleting three replies with a signature for one',
    sealed(3, ...removal(thread, three).with(2, removal(thread, [first])[2])),
    fails('PARCEL_SIGNATURE'),
  );
  parcel(
    'deleting another reply under the same signature',
    sealed(3, ...removal(thread, [first]).with(4, second)),
    fails('PARCEL_SIGNATURE'),
  );
  parcel(
    'deleting from a mailbox of another lock',
    sealed(3, ...removal(thread, [one]).with(1, removal(other, [one])[1])),
    fails('PARCEL_SIGNATURE'),
  );

  // Looking into a mailbox.
  const question = encodeQuestion({ mailboxKey: thread.mailboxKey, threadKey: thread.signing.key, page: 2 });
  add('a question', 'parseQuestion', question, { value: { mailboxKey: toHex(thread.mailboxKey), threadKey: thread.address.key, page: 2 } });
  add('a question cut by a byte', 'parseQuestion', question, fails('MAILBOX_SIZE'), edits({ cut: 1 }));
  add('a question of another version', 'parseQuestion', question, fails('MAILBOX_VERSION'), edits({ at: 3, set: '02' }));
  const places = [sealedReply, foreign.reply];
  const ids = places.map((each) => toHex(replyId(each)));
  const answered = encodeMailboxAnswer({ result: 'read', total: 3, retryAfterSeconds: 0, places });
  const answer = (name: string, value: unknown, page: number): void => add(name, 'parseMailboxAnswer', answered, { value }, { page });
  answer('the first page of three replies', { result: 'read', total: 3, replies: ids }, 0);
  answer('the second page of three replies', { result: 'read', total: 3, replies: ids.slice(0, 1) }, 1);
  answer('a page after the last', { result: 'read', total: 3, replies: [] }, 2);
  const away = encodeMailboxAnswer({ result: 'away', total: 0, retryAfterSeconds: 60, places: [randomBytes(REPLY_BYTES)] });
  add('a mailbox that is away', 'parseMailboxAnswer', away, { value: { result: 'away', retryAfterSeconds: 60 } });
  add('an answer about a mailbox cut by a byte', 'parseMailboxAnswer', answered, fails('MAILBOX_SIZE'), edits({ cut: 1 }));
  add(
    'an answer about a mailbox of another version',
    'parseMailboxAnswer',
    answered,
    fails('MAILBOX_VERSION'),
    edits({ at: 3, set: '02' }),
  );
  add(
    'an answer about a mailbox of an unknown result',
    'parseMailboxAnswer',
    answered,
    fails('MAILBOX_FORMAT'),
    edits({ at: 7, set: '02' }),
  );
  add(
    'an answer about a mailbox of more replies than there can be',
    'parseMailboxAnswer',
    answered,
    fails('MAILBOX_FORMAT'),
    edits({ at: 10, set: '0361' }),
  );

  return { identities: { requester: thread.identity }, words: LIST.join(' '), blobs, vectors };
}
