// What volunteers are warned of before answering, on the command line and at the desk alike.
import { describe, expect, it } from 'vitest';
import type { Keyring } from '../../crypto/keyring.ts';
import type { Note } from '../../crypto/note.ts';
import { REPLIES_A_WEEK, REPLIES_A_WEEK_BY_ONE } from '../../crypto/mailbox-limits.ts';
import { fullnessOf, mayHideNote, othersWith } from '../../volunteer/conversations/cautions.ts';
import type { Noted } from '../../volunteer/conversations/conversations.ts';

const [OWN, OTHERS, ANOTHER] = ['a', 'b', '9'].map((digit) => digit.repeat(64)) as [string, string, string];
/** A week of mailboxes starts on a Thursday; keyrings change on its Monday. */
const [THURSDAY, MONDAY, NEXT_THURSDAY] = ['2026-03-12T00:00:00Z', '2026-03-16T00:00:00Z', '2026-03-19T00:00:00Z'] as const;

function note(
  action: Note['action'],
  {
    by = OTHERS,
    alias = 'Клён',
    to,
    until = MONDAY,
    number = 1,
  }: { by?: string; alias?: string; to?: string; until?: string; number?: number } = {},
): Noted {
  const said = {
    action,
    thread: 'c'.repeat(64),
    alias,
    ...(to === undefined ? {} : { to }),
    text: '',
    id: 'd'.repeat(32),
    number,
    earlier: [],
    signer: by,
    signature: 'e'.repeat(128),
  };
  const content = { version: 1 as const, kind: 'note' as const, serial: 3, keyring: 'f'.repeat(64), language: 'ru', note: said };
  return { source: 'x', mark: '0'.repeat(64), content, keyring: { notAfter: until } as Keyring };
}
const others = (...notes: Noted[]): string[] =>
  othersWith(notes, OWN, 'Ива').map(({ action, from, to }) => `${action} ${from} ${to}`.trim());

describe('a conversation belongs to somebody else', () => {
  it('who took or answered it, under whatever alias, but not to oneself under another alias', () => {
    expect(others(note('claim', { alias: 'Ива' }), note('answer'))).toEqual(['claim Ива', 'answer Клён']);
    expect(others(note('claim', { by: OWN }), note('answer', { by: OWN }))).toEqual([]);
  });

  it('to whom it was handed over, even by oneself, unless to oneself', () => {
    expect(others(note('handover', { to: 'Дуб' }))).toEqual(['handover Клён Дуб']);
    expect(others(note('handover', { by: OWN, alias: 'Ива', to: 'Дуб' }))).toEqual(['handover Ива Дуб']);
    for (const to of ['Ива', 'ива']) expect(others(note('handover', { to }))).toEqual([]);
  });

  it('but not who has handed it over', () => {
    expect(others(note('claim'), note('answer'), note('handover', { to: 'Ива' }))).toEqual([]);
    expect(others(note('handover', { alias: 'Дуб', to: 'клён' }), note('handover', { to: 'Ива' }))).toEqual([]);
    expect(others(note('answer'), note('handover', { by: ANOTHER, to: 'Ива' }))).toEqual(['answer Клён']);
  });

  it('and who took it again afterwards, or had it last according to the notes', () => {
    expect(others(note('claim', { number: 3 }), note('handover', { to: 'Ива', number: 2 }))).toEqual(['claim Клён']);
    const [there, back] = [
      note('handover', { to: 'Дуб', number: 1 }),
      note('handover', { by: ANOTHER, alias: 'Дуб', to: 'Клён', number: 2 }),
    ];
    for (const notes of [
      [there, back],
      [back, there],
    ])
      expect(others(...notes)).toEqual(['handover Дуб Клён']);
  });

  it('and to everybody concerned, where two handed it to each other and nobody knows who had it last', () => {
    const [there, back] = [note('handover', { to: 'Дуб' }), note('handover', { by: ANOTHER, alias: 'Дуб', to: 'Клён' })];
    for (const notes of [
      [there, back, note('answer')],
      [note('answer'), back, there],
    ])
      expect(others(...notes)).toEqual(expect.arrayContaining(['handover Клён Дуб', 'handover Дуб Клён']));
  });
});

describe('a mailbox is full', () => {
  const answers = (count: number, more: { by?: string; until?: string } = {}): Noted[] =>
    Array.from({ length: count }, () => note('answer', more));
  const full = (noted: Noted[], now: string = THURSDAY) => fullnessOf(noted, OWN, new Date(now));

  it('after twelve answers by oneself, or sixteen by the team', () => {
    expect(full(answers(REPLIES_A_WEEK_BY_ONE - 1, { by: OWN }))).toBeNull();
    expect(full(answers(REPLIES_A_WEEK_BY_ONE, { by: OWN }))).toEqual({ team: REPLIES_A_WEEK_BY_ONE, own: REPLIES_A_WEEK_BY_ONE });
    expect(full(answers(REPLIES_A_WEEK - 1))).toBeNull();
    expect(full([...answers(REPLIES_A_WEEK - 1), ...answers(1, { by: OWN })])).toEqual({ team: REPLIES_A_WEEK, own: 1 });
  });

  it('also with answers under the previous keyring, until the week of mailboxes is over', () => {
    const twelve = [...answers(REPLIES_A_WEEK_BY_ONE - 1, { by: OWN }), ...answers(1, { by: OWN, until: '2026-03-23T00:00:00Z' })];
    for (const now of [MONDAY, '2026-03-18T23:59:59.999Z']) expect(full(twelve, now)).toEqual({ team: 12, own: 12 });
    expect(full(twelve, NEXT_THURSDAY)).toBeNull();
  });

  it('also with answers under a keyring that ended shortly enough before this week for relays to accept them', () => {
    expect(full(answers(REPLIES_A_WEEK, { until: '2026-03-11T00:00:01Z' }))).toEqual({ team: REPLIES_A_WEEK, own: 0 });
  });

  it('but not with answers under a keyring that ended earlier, nor with other notes', () => {
    expect(
      full([...answers(REPLIES_A_WEEK, { until: '2026-03-11T00:00:00Z' }), ...Array.from({ length: REPLIES_A_WEEK }, () => note('claim'))]),
    ).toBeNull();
  });
});

describe('a refused letter may hide a note', () => {
  it('when it could not be read, but not when it is for others, not a letter, a request, or not believed', () => {
    for (const code of [
      'AGE_ARMOR',
      'AGE_PAYLOAD',
      'LETTER_STRUCTURE',
      'LETTER_FORMAT',
      'LETTERS_TOO_MANY',
      'NOTE_FOREIGN',
      'FILE_UNREADABLE',
      'FOLDER_DROPPED',
      'INPUT_MISSING',
      'IMAP_AWAY',
    ])
      expect([code, mayHideNote(code)]).toEqual([code, true]);
    for (const code of ['AGE_NO_MATCH', 'LETTER_MISSING', 'KEYRING_FOREIGN', 'LETTER_THREAD', 'SIGNER_UNKNOWN', 'SIGNER_SIGNATURE'])
      expect([code, mayHideNote(code)]).toEqual([code, false]);
  });
});
