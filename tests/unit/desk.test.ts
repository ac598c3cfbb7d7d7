// The desk's words, and how letters become conversations.
import { beforeAll, describe, expect, it } from 'vitest';
import { codeRoot, makeCode } from '../../crypto/code.ts';
import type { WrittenContent } from '../../crypto/letter.ts';
import { signNote, type NoteText } from '../../crypto/note.ts';
import { signingKeyPair, type SigningKeyPair } from '../../crypto/sign.ts';
import { ready } from '../../crypto/sodium.ts';
import { signAddress, threadOf, type Thread } from '../../crypto/thread.ts';
import { Conversations, doingsOf } from '../../web/desk/conversations.ts';
import { readTemplate } from '../../web/pages.ts';
import { readDeskLocales } from '../../web/single-file.ts';

const locales = await readDeskLocales();
const template = await readTemplate('desk/desk', { offline: true });
const needed = [...new Set([...template.matchAll(/\{\{([\w-]+\.[\w.-]+)\}\}/g)].map(([, key]) => key ?? ''))].sort();
const slots = (text: string): string[] => [...text.matchAll(/\{[a-z]+\}/g)].map(([slot]) => slot).sort();

describe.each(locales)('the words of the desk in $name', (locale) => {
  it('are all there, none is left over, and each has the places of the other languages', () => {
    expect(Object.keys(locale.words).sort()).toEqual(needed);
    for (const other of locales) for (const key of needed) expect(slots(locale.words[key] ?? ''), key).toEqual(slots(other.words[key] ?? ''));
  });

  it('are translated', () => {
    for (const [key, text] of Object.entries(locale.words)) {
      for (const other of locales) if (other !== locale) expect(text, key).not.toBe(other.words[key]);
      expect(/[а-яё]/i.test(text), key).toBe(locale.language === 'ru');
    }
  });
});

it('the desk has the languages of the form', () => {
  expect(locales.map(({ language }) => language)).toEqual(['ru', 'en']);
});

describe('conversations', () => {
  let thread: Thread;
  let signer: SigningKeyPair;
  beforeAll(async () => {
    await ready;
    thread = threadOf(codeRoot('ru', makeCode()));
    signer = signingKeyPair(new Uint8Array(32).fill(7));
  });
  const sealed = { version: 1 as const, serial: 3, keyring: 'ab'.repeat(32), language: 'ru' };
  const letter = (message: string, kind: 'request' | 'follow-up' = 'request', by: Thread = thread): WrittenContent => {
    const said = { ...sealed, kind, message };
    return { ...said, thread: signAddress(said, by) };
  };
  const note = (text: Partial<NoteText> = {}) =>
    ({ ...sealed, kind: 'note' as const, note: signNote({ action: 'claim', thread: thread.address.key, alias: 'Ива', text: '', ...text }, signer) });

  it('begin with the request, in whatever order letters come, and know who has done what', () => {
    const conversations = new Conversations();
    for (const content of [note(), letter('Ещё', 'follow-up'), note({ action: 'answer', alias: 'Клён' }), letter('Сначала')]) conversations.add(content, 'x');
    const [conversation, ...more] = conversations.all();
    expect(more).toEqual([]);
    expect(conversation?.letters.map(({ message }) => message)).toEqual(['Сначала', 'Ещё']);
    expect(conversation?.address).toEqual(thread.address);
    const { answered, taken, handed } = doingsOf(conversation ?? { id: '', address: null, letters: [], notes: [] });
    expect([answered, taken, handed].map((notes) => notes.map(({ alias }) => alias))).toEqual([['Клён'], ['Ива'], []]);
  });

  it('take a letter once, also when somebody sealed it anew, and a note too', () => {
    const conversations = new Conversations();
    const [content, said] = [letter('Раз'), note()];
    for (const each of [content, { ...content }, said, { ...said }]) conversations.add(each, 'x');
    expect(conversations.all().map(({ letters, notes }) => [letters.length, notes.length])).toEqual([[1, 1]]);
  });

  it('refuse another address in the same thread, even signed', () => {
    const conversations = new Conversations();
    const other = threadOf(codeRoot('ru', makeCode()));
    conversations.add(letter('Раз'), 'x');
    const moved = letter('Два', 'follow-up', { ...thread, address: { ...thread.address, lock: other.address.lock } });
    expect(() => conversations.add(moved, 'y')).toThrow(expect.objectContaining({ code: 'LETTER_THREAD' }));
    expect(conversations.all()[0]?.letters).toHaveLength(1);
  });

  it.each(['lock', 'recipient'] as const)('keep both when another thread names the same %s: it could silence somebody otherwise', (part) => {
    const conversations = new Conversations();
    const other = threadOf(codeRoot('ru', makeCode()));
    conversations.add(letter('Чужое', 'request', { ...other, address: { ...other.address, [part]: thread.address[part] } }), 'y');
    conversations.add(letter('Моё'), 'x');
    expect(conversations.all().map(({ id }) => id)).toEqual([other.address.key, thread.address.key]);
  });

  it('keep requests apart that want no answer', () => {
    const conversations = new Conversations();
    for (const mark of ['a', 'b']) conversations.add({ ...sealed, kind: 'request', message: 'Одно и то же' }, mark);
    expect(conversations.all().map(({ address }) => address)).toEqual([null, null]);
  });
});
