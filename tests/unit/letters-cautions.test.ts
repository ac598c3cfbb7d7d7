// What a volunteer is told before answering, on the command line and at the desk alike.
import { describe, expect, it } from 'vitest';
import type { NoteContent } from '../../crypto/letter.ts';
import type { Note } from '../../crypto/note.ts';
import { REPLIES_A_WEEK, REPLIES_A_WEEK_BY_ONE } from '../../crypto/mailbox.ts';
import { fullnessOf, othersWith } from '../../letters/cautions.ts';

const [OWN, OTHERS, ANOTHER] = ['a', 'b', '9'].map((digit) => digit.repeat(64)) as [string, string, string];
const WEEK = 3;

function note(action: Note['action'], { by = OTHERS, alias = 'Клён', to, serial = WEEK }: { by?: string; alias?: string; to?: string; serial?: number } = {}): NoteContent {
  const said = { action, thread: 'c'.repeat(64), alias, ...(to === undefined ? {} : { to }), text: '', id: 'd'.repeat(32), signer: by, signature: 'e'.repeat(128) };
  return { version: 1, kind: 'note', serial, keyring: 'f'.repeat(64), language: 'ru', note: said };
}
const others = (...notes: NoteContent[]): string[] => othersWith(notes, OWN, 'Ива').map(({ action, from, to }) => `${action} ${from} ${to}`.trim());

describe('a conversation is with somebody else', () => {
  it('who took it or answered, whatever they call themselves, but not with oneself under another name', () => {
    expect(others(note('claim', { alias: 'Ива' }), note('answer'))).toEqual(['claim Ива', 'answer Клён']);
    expect(others(note('claim', { by: OWN }), note('answer', { by: OWN }))).toEqual([]);
  });

  it('to whom it was handed over, also by oneself, but for oneself', () => {
    expect(others(note('handover', { to: 'Дуб' }))).toEqual(['handover Клён Дуб']);
    expect(others(note('handover', { by: OWN, alias: 'Ива', to: 'Дуб' }))).toEqual(['handover Ива Дуб']);
    for (const to of ['Ива', 'ива']) expect(others(note('handover', { to }))).toEqual([]);
  });

  it('but not who has handed it over', () => {
    expect(others(note('claim'), note('answer'), note('handover', { to: 'Ива' }))).toEqual([]);
    expect(others(note('handover', { alias: 'Дуб', to: 'клён' }), note('handover', { to: 'Ива' }))).toEqual([]);
    expect(others(note('answer'), note('handover', { by: ANOTHER, to: 'Ива' }))).toEqual(['answer Клён']);
  });

  it('and who had it last of those that handed it to one another, nobody knows', () => {
    const [there, back] = [note('handover', { to: 'Дуб' }), note('handover', { by: ANOTHER, alias: 'Дуб', to: 'Клён' })];
    for (const notes of [[there, back, note('answer')], [note('answer'), back, there]]) expect(others(...notes)).toEqual(expect.arrayContaining(['handover Клён Дуб', 'handover Дуб Клён']));
  });
});

describe('a mailbox is full', () => {
  const answers = (count: number, more: { by?: string; serial?: number } = {}): NoteContent[] => Array.from({ length: count }, () => note('answer', more));
  const full = (...notes: NoteContent[]) => fullnessOf(notes, OWN, new Set([WEEK]));

  it('after twelve answers of one’s own, or sixteen of the team', () => {
    expect(full(...answers(REPLIES_A_WEEK_BY_ONE - 1, { by: OWN }))).toBeNull();
    expect(full(...answers(REPLIES_A_WEEK_BY_ONE, { by: OWN }))).toEqual({ team: REPLIES_A_WEEK_BY_ONE, own: REPLIES_A_WEEK_BY_ONE });
    expect(full(...answers(REPLIES_A_WEEK - 1))).toBeNull();
    expect(full(...answers(REPLIES_A_WEEK - 1), ...answers(1, { by: OWN }))).toEqual({ team: REPLIES_A_WEEK, own: 1 });
  });

  it('not by answers of another week, nor by notes that are none', () => {
    expect(full(...answers(REPLIES_A_WEEK, { serial: WEEK - 1 }), ...Array.from({ length: REPLIES_A_WEEK }, () => note('claim')))).toBeNull();
  });
});
