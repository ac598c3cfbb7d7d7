// The command line and the desk put letters together each in its own way: what they believe has to be the same.
import { beforeAll, expect, test } from 'vitest';
import { converse } from '../../cli/letters/conversations.ts';
import { randomBytes } from '../../crypto/bytes.ts';
import { CodedError } from '../../crypto/errors.ts';
import type { NoteContent, WrittenContent } from '../../crypto/letter.ts';
import { signNote, type NoteText } from '../../crypto/note.ts';
import { signingKeyPair } from '../../crypto/sign.ts';
import { ready } from '../../crypto/sodium.ts';
import { signAddress, threadOf, type Thread } from '../../crypto/thread.ts';
import { Conversations } from '../../web/desk/conversations.ts';

const UNDER = { version: 1 as const, serial: 1, keyring: 'ab'.repeat(32), language: 'ru' };

beforeAll(() => ready);

function written(kind: 'request' | 'follow-up', thread: Thread, message: string): WrittenContent {
  const content = { kind, ...UNDER, message };
  return { ...content, thread: signAddress(content, thread) };
}

type Outcome = { conversations: unknown[]; refused: number[] };

function atCommandLine(contents: readonly (WrittenContent | NoteContent)[]): Outcome {
  const opened = contents.map((content, index) => ({ source: String(index), mark: String(index).padStart(64, '0'), content, keyring: null }));
  const { conversations, refused } = converse(opened);
  return {
    conversations: conversations.map(({ address, letters }) => ({
      address,
      messages: letters.flatMap(({ content }) => (content.kind === 'note' ? [] : [content.message])),
      actions: letters.flatMap(({ content }) => (content.kind === 'note' ? [content.note.action] : [])),
    })),
    refused: refused.map(({ source }) => Number(source)),
  };
}

function atDesk(contents: readonly (WrittenContent | NoteContent)[]): Outcome {
  const all = new Conversations();
  const refused: number[] = [];
  for (const [index, content] of contents.entries()) {
    try {
      all.add(content, String(index));
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      refused.push(index);
    }
  }
  const conversations = all.all().map(({ address, letters, notes }) => ({ address, messages: letters.map(({ message }) => message), actions: notes.map(({ note }) => note.action) }));
  return { conversations, refused };
}

test('the same letters are the same conversations, and the same ones are refused', () => {
  const [own, other, stranger] = [threadOf(randomBytes(32)), threadOf(randomBytes(32)), threadOf(randomBytes(32))];
  const signer = signingKeyPair(randomBytes(32));
  const note = (said: Pick<NoteText, 'action' | 'to'>): NoteContent => ({ kind: 'note', ...UNDER, note: signNote({ thread: own.address.key, alias: 'Клён', text: '', ...said }, signer) });
  const first = written('request', own, 'Раз');
  const claim = note({ action: 'claim' });
  const naming = (by: Thread, part: 'lock' | 'recipient', from: Thread): Thread => ({ ...by, address: { ...by.address, [part]: from.address[part] } });
  const contents = [
    first,
    written('follow-up', own, 'Два'),
    written('request', naming(stranger, 'lock', own), 'Чужое'),
    written('follow-up', naming(own, 'lock', other), 'Не туда'),
    { ...first },
    claim,
    { ...claim },
    note({ action: 'handover', to: 'Дуб' }),
    written('request', other, 'Другое'),
  ];
  const expected = {
    conversations: [
      { address: own.address, messages: ['Раз', 'Два'], actions: ['claim', 'handover'] },
      { address: naming(stranger, 'lock', own).address, messages: ['Чужое'], actions: [] },
      { address: other.address, messages: ['Другое'], actions: [] },
    ],
    refused: [3],
  };
  expect(atDesk(contents)).toEqual(expected);
  const { conversations, refused } = atCommandLine(contents);
  expect({ conversations, refused: refused.sort() }).toEqual(expected);
});
