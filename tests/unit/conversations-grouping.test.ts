// How letters become conversations, on the command line and at the desk alike.
import { beforeAll, describe, expect, it } from 'vitest';
import { randomBytes, toHex } from '../../crypto/bytes.ts';
import type { NoteContent, WrittenContent } from '../../crypto/letter.ts';
import { checkNote, signNote, type NoteText } from '../../crypto/note.ts';
import { signingKeyPair, signParts, type SigningKeyPair } from '../../crypto/sign.ts';
import { ready } from '../../crypto/sodium.ts';
import { signAddress, threadOf, type Thread } from '../../crypto/thread.ts';
import { aliasKey, isAlias } from '../../volunteer/conversations/alias.ts';
import {
  groupIntoConversations,
  countsOf,
  isNoted,
  isWritten,
  orderAfter,
  type Conversation,
  type OpenedLetter,
} from '../../volunteer/conversations/conversations.ts';
import { visible } from '../../volunteer/visible.ts';

const UNDER = { version: 1 as const, serial: 3, keyring: 'ab'.repeat(32), language: 'ru' };

let [own, other]: Thread[] = [];
let [maple, oak]: SigningKeyPair[] = [];
const threads = () => ({ own: own as Thread, other: other as Thread });
const signers = () => ({ maple: maple as SigningKeyPair, oak: oak as SigningKeyPair });

beforeAll(async () => {
  await ready;
  [own, other] = [1, 2].map(() => threadOf(randomBytes(32)));
  [maple, oak] = [1, 2].map(() => signingKeyPair(randomBytes(32)));
});

function written(
  kind: 'request' | 'follow-up',
  message: string,
  by = threads().own,
  serial = UNDER.serial,
  order: { number: number; read: string[] } | object = {},
): WrittenContent {
  const content = { kind, ...UNDER, serial, message, ...order };
  return { ...content, thread: signAddress(content, by) };
}
function note(said: Partial<NoteText>, by = signers().maple, serial = UNDER.serial): NoteContent {
  return {
    kind: 'note',
    ...UNDER,
    serial,
    note: signNote({ action: 'claim', thread: threads().own.address.key, alias: 'Клён', text: '', ...said }, by),
  };
}
const naming = (by: Thread, part: 'lock' | 'recipient', from: Thread): Thread => ({
  ...by,
  address: { ...by.address, [part]: from.address[part] },
});

const opened = (content: WrittenContent | NoteContent): OpenedLetter => ({
  source: 'a file',
  mark: toHex(randomBytes(32)),
  content,
  keyring: null,
});
const of = (...contents: (WrittenContent | NoteContent)[]) => groupIntoConversations(contents.map(opened));
const said = ({ letters }: Conversation): string[] =>
  letters.map((letter) => (isNoted(letter) ? letter.content.note.action : isWritten(letter) ? letter.content.message : ''));
function only({ conversations }: ReturnType<typeof groupIntoConversations>): Conversation {
  const [conversation, ...more] = conversations;
  if (conversation === undefined || more.length > 0) throw new Error(`${String(conversations.length)} conversations`);
  return conversation;
}

function permutations<T>(items: readonly T[]): T[][] {
  return items.length <= 1
    ? [[...items]]
    : items.flatMap((item, i) => permutations(items.filter((_, j) => j !== i)).map((rest) => [item, ...rest]));
}

describe('a conversation', () => {
  it('has the request first, then the rest by number, whatever keyring it was sealed under', () => {
    const conversation = only(
      of(
        note({ action: 'answer', number: 4 }, signers().maple, 2),
        written('follow-up', 'Ещё', threads().own, 4, { number: 3, read: [] }),
        note({ number: 2 }),
        note({ action: 'handover', to: 'Дуб', number: 1 }, signers().oak, 7),
        written('request', 'Сначала', threads().own, 9),
      ),
    );
    expect(said(conversation)).toEqual(['Сначала', 'handover', 'claim', 'Ещё', 'answer']);
    expect(conversation).toMatchObject({ id: threads().own.address.key.slice(0, 8), address: threads().own.address, remarks: [] });
    expect(countsOf(conversation)).toEqual({ answers: 1, written: 2 });
  });

  it('is the same in whatever order its letters are read, and so are the refused letters', () => {
    const moved = written('follow-up', 'Не туда', naming(threads().own, 'lock', threads().other));
    const contents = [
      written('request', 'Раз'),
      written('follow-up', 'Два'),
      moved,
      note({ action: 'answer', number: 2 }),
      written('request', 'Другое', threads().other),
    ].map(opened);
    for (const letters of permutations(contents)) {
      const { conversations, refused } = groupIntoConversations(letters);
      expect(conversations.map(said).sort()).toEqual([['Другое'], ['Раз', 'Два', 'answer']]);
      expect(refused).toEqual([
        {
          source: 'a file',
          letter: expect.objectContaining({ content: moved }),
          error: expect.objectContaining({ code: 'LETTER_THREAD' }),
        },
      ]);
    }
  });

  it('sorts letters written at the same time by id, the same in both tools, and continues after both', () => {
    const [a, b] = ['a', 'b'].map((digit) => digit.repeat(32)) as [string, string];
    const answers = [
      note({ action: 'answer', text: 'Без сети', number: 1, id: b }),
      note({ action: 'answer', text: 'Тоже', number: 1, id: a }, signers().oak),
    ];
    for (const letters of permutations([written('request', 'Раз'), ...answers])) {
      const { letters: shown } = only(of(...letters));
      expect(shown.map(({ content }) => (content.kind === 'note' ? content.note.text : content.message))).toEqual([
        'Раз',
        'Тоже',
        'Без сети',
      ]);
      expect(orderAfter(shown)).toEqual({ number: 2, earlier: [a.slice(0, 16), b.slice(0, 16)] });
    }
  });

  it('treats an impossible number as the first, and continues as without it', () => {
    const far = note({ action: 'answer', text: 'Далеко', number: 2 ** 31 - 1 });
    const { letters } = only(of(far, written('request', 'Раз'), note({ action: 'answer', text: 'Близко', number: 7 }, signers().oak)));
    expect(said({ letters } as Conversation)).toEqual(['Раз', 'answer', 'answer']);
    expect(letters.flatMap(({ content }) => (content.kind === 'note' ? [content.note.text] : []))).toEqual(['Далеко', 'Близко']);
    expect(orderAfter(letters).number).toBe(8);
  });

  it('names the latest sixteen answers, and says which of those that others knew are missing', () => {
    const ids = Array.from({ length: 20 }, (_, i) => i.toString(16).padStart(2, '0').repeat(16));
    const all = ids.map((id, i) =>
      note({ action: 'answer', id, number: i + 1, earlier: ids.slice(Math.max(0, i - 16), i).map((each) => each.slice(0, 16)) }),
    );
    const whole = only(of(written('request', 'Раз'), ...all));
    expect([whole.absent, orderAfter(whole.letters)]).toEqual([0, { number: 21, earlier: ids.slice(4).map((id) => id.slice(0, 16)) }]);
    expect(only(of(written('request', 'Раз'), ...all.slice(18))).absent).toBe(16);
    expect(
      only(of(written('request', 'Раз'), written('follow-up', 'Ещё', threads().own, 3, { number: 3, read: ['ab'.repeat(8)] }))).absent,
    ).toBe(1);
  });

  it('reads letters from before orders existed', () => {
    const old = { action: 'claim', thread: threads().own.address.key, alias: 'Клён', text: '', id: '0f'.repeat(16) } as const;
    const parts = [old.action, old.thread, old.alias, '', old.text, old.id];
    const signed: NoteContent = {
      kind: 'note',
      ...UNDER,
      note: { ...old, signer: toHex(signers().maple.key), signature: toHex(signParts('note', parts, signers().maple)) },
    };
    checkNote(signed.note, new Set([signed.note.signer]));
    expect(said(only(of(note({ action: 'answer', number: 2 }), signed, written('request', 'Раз'))))).toEqual(['Раз', 'claim', 'answer']);
  });

  it('takes letters and notes once when somebody sealed them again', () => {
    const [letter, noted] = [written('request', 'Раз'), note({})];
    expect(said(only(of(letter, { ...letter }, noted, { ...noted })))).toEqual(['Раз', 'claim']);
  });

  it('dates a note by the oldest keyring it was sealed under, so that nobody makes old answers new', () => {
    const noted = note({ action: 'answer' }, signers().maple, 2);
    const anew = { ...noted, serial: 5 };
    for (const order of [
      [noted, anew],
      [anew, noted],
    ])
      expect(only(of(...order)).letters.map(({ content }) => content.serial)).toEqual([2]);
  });

  it('is never formed of two requests that want no answer, whatever they say', () => {
    const alone: WrittenContent = { ...UNDER, kind: 'request', message: 'Одно и то же' };
    expect(of(alone, alone).conversations.map(({ address, letters }) => [address, letters.length])).toEqual([
      [null, 1],
      [null, 1],
    ]);
  });

  it.each(['lock', 'recipient'] as const)('that names another’s %s silences nobody: both are shown, and marked as contested', (part) => {
    const { conversations, refused } = of(
      written('request', 'Чужое', naming(threads().other, part, threads().own)),
      written('request', 'Моё'),
      note({}),
    );
    expect(conversations.map((each) => [said(each), each.remarks])).toEqual([
      [['Чужое'], ['contested']],
      [['Моё', 'claim'], ['contested']],
    ]);
    expect(refused).toEqual([]);
  });

  it('says that its request is missing, or that only notes are here', () => {
    expect(only(of(written('follow-up', 'Ещё'), note({}))).remarks).toEqual(['no-request']);
    expect(only(of(note({})))).toMatchObject({ address: null, remarks: ['no-letters'] });
  });

  it('shows as many digits of its key as distinguish it from every other, even from a deliberate look-alike', () => {
    const key = threads().own.address.key;
    const alike = `${key.slice(0, 20)}${key[20] === '0' ? '1' : '0'}${key.slice(21)}`;
    const forged: WrittenContent = {
      ...written('request', 'Похоже', threads().other),
      thread: { ...threads().other.address, key: alike, signature: '00'.repeat(64) },
    };
    expect(of(written('request', 'Раз'), forged).conversations.map(({ id }) => id)).toEqual([key.slice(0, 32), alike.slice(0, 32)]);
  });
});

describe('who has a conversation', () => {
  const stateAfter = (...notes: NoteContent[]) => only(of(written('request', 'Раз'), ...notes)).state;

  it('is the one who took it, until they hand it over, whichever note was read first', () => {
    expect(stateAfter()).toMatchObject({ answered: [], handed: [], taken: [] });
    expect(stateAfter(note({}))).toMatchObject({ answered: [], handed: [], taken: ['Клён'] });
    for (const notes of permutations([note({ alias: 'клён' }), note({ action: 'handover', to: 'Дуб' })]))
      expect(stateAfter(...notes)).toMatchObject({ handed: ['Дуб'], taken: [] });
  });

  it('is the one who took it again after handing it over, but not by an old note that somebody sealed again', () => {
    const [taken, handed, again] = [note({ number: 1 }), note({ action: 'handover', to: 'Дуб', number: 2 }), note({ number: 3 })];
    for (const notes of permutations([taken, handed, { ...taken, serial: 9 }]))
      expect(stateAfter(...notes)).toMatchObject({ handed: ['Дуб'], taken: [] });
    expect(stateAfter(again, handed, taken)).toMatchObject({ handed: ['Дуб'], taken: ['Клён'] });
    const back = note({ action: 'handover', alias: 'Дуб', to: 'Клён', number: 3 }, signers().oak);
    for (const notes of permutations([taken, handed, back])) expect(stateAfter(...notes)).toMatchObject({ handed: ['Клён'], taken: [] });
  });

  it('is no longer the one who has answered it', () => {
    const notes = [note({}), note({ action: 'handover', to: 'дуб' }), note({ action: 'answer', alias: 'Дуб' }, signers().oak)];
    expect(stateAfter(...notes)).toMatchObject({ answered: ['Дуб'], handed: [], taken: [] });
  });

  it('is unchecked where no keyring vouches for a note', () => {
    expect(stateAfter(note({})).checked).toBe(false);
  });
});

it('one signer with two aliases and one alias of two signers each get one remark, and nothing else does', () => {
  const [m, o] = [signers().maple, signers().oak].map(({ key }) => toHex(key));
  expect(of(note({}), note({ alias: 'клён ' }), note({ text: 'Ещё' }), note({ alias: 'Дуб' }, signers().oak)).aliases).toEqual([]);
  expect(of(note({}), note({ alias: 'Липа' })).aliases).toEqual([{ kind: 'one-signer', signers: [m], aliases: ['Клён', 'Липа'] }]);
  expect(of(note({}), note({ alias: ' клён' }, signers().oak)).aliases).toEqual([
    { kind: 'one-alias', signers: [m, o], aliases: ['Клён'] },
  ]);
});

it('an alias with invisible characters is refused as one’s own, shown written out, and equal to the one without', () => {
  const [m, o] = [signers().maple.key, signers().oak.key].map(toHex);
  const hidden = [0x34f, 0x200d, 0x17b4, 0x180b, 0x2800, 0x3164, 0xfe0f, 0xfff0, 0x1bca0, 0x1d173, 0xe0100].map((code) =>
    String.fromCodePoint(code),
  );
  for (const blank of hidden) {
    const alias = `Клён${blank}`;
    expect(of(note({}), note({ alias }, signers().oak)).aliases).toEqual([{ kind: 'one-alias', signers: [m, o], aliases: ['Клён'] }]);
    expect([isAlias(alias), visible(alias)]).toEqual([false, expect.stringMatching(/^Клён‹U\+[0-9A-F]{4,5}›$/)]);
  }
  for (const blank of [0x1107f, 0x13441, 0x16fe4, 0xfdd0, 0xfffc, 0x1ffff].map((code) => String.fromCodePoint(code))) {
    expect([isAlias(`Клён${blank}`), visible(`Клён${blank}`)]).toEqual([false, expect.stringMatching(/^Клён‹U\+[0-9A-F]{4,5}›$/)]);
  }
  expect(aliasKey('Анна™\ufe0f\u0301')).toBe(aliasKey('Анна™\u0301'));
  expect([isAlias('Клён 🙂'), isAlias('Анна\u00a0М')]).toEqual([true, true]);
  expect(aliasKey('Анна\u00a0\u2003М')).toBe(aliasKey('анна м'));
});

// With quadratic work this would take half a minute, and the test would time out.
it('twenty thousand conversations are told apart quickly', () => {
  const content: WrittenContent = { kind: 'request', ...UNDER, message: 'x' };
  const { conversations } = groupIntoConversations(Array.from({ length: 20_000 }, () => opened(content)));
  expect(new Set(conversations.map(({ id }) => id)).size).toBe(20_000);
});
