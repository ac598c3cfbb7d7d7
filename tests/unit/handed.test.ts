// What the replies page knows of a mailbox that changes meanwhile.
import { describe, expect, it } from 'vitest';
import { Handed } from '../../web/page/handed.ts';
import type { MailboxReply } from '../../web/page/messages.ts';

/** The `n`-th reply of a conversation, by somebody who knew the earlier ones. */
const reply = (n: number, { team = 'a'.repeat(16), number = n }: { team?: string | null; number?: number } = {}): MailboxReply => ({
  id: String(n).padStart(64, '0'),
  text: String(n),
  team,
  signature: `signature ${String(n)}`,
  place: { number, id: idOf(n), signature: `signature ${String(n)}` },
  earlier: n > 1 ? [idOf(n - 1).slice(0, 16)] : [],
});
const idOf = (n: number): string => String(n).padStart(2, '0').repeat(16);
const ids = (...numbers: number[]): string[] => numbers.map((n) => String(n).padStart(64, '0'));

/** Reads until nothing more is to be fetched. Returns the requested pages. */
function readAll(handed: Handed, mailbox: readonly MailboxReply[]): number[] {
  const pages: number[] = [];
  do {
    const page = handed.nextPage;
    pages.push(page);
    handed.take({ total: mailbox.length, first: page * 2, replies: mailbox.slice(page * 2, page * 2 + 2) });
  } while (handed.unfetched > 0 && pages.length < 20);
  return pages;
}
const texts = (handed: Handed): string[] => handed.shown.map(({ text }) => text);
const all = (count: number): MailboxReply[] => Array.from({ length: count }, (_, i) => reply(i + 1));

describe('what a page was handed', () => {
  it('is read to its end, page by page, and the last page is read again for news', () => {
    const handed = new Handed();
    expect(readAll(handed, all(5))).toEqual([0, 1, 2]);
    expect([texts(handed), handed.nextPage]).toEqual([['1', '2', '3', '4', '5'], 2]);
    expect(readAll(handed, all(6))).toEqual([2]);
    expect(readAll(handed, all(7))).toEqual([2, 3]);
  });

  it.each([1, 2, 3])('skips nothing when %i that were read are deleted here, whether or not that is carried out', (count) => {
    for (const done of [true, false]) {
      const handed = new Handed();
      handed.take({ total: 7, first: 0, replies: all(7).slice(0, 2) });
      handed.take({ total: 7, first: 2, replies: all(7).slice(2, 4) });
      handed.remove(ids(1, 2, 3).slice(0, count));
      expect(handed.unfetched).toBe(3);
      readAll(handed, done ? all(7).slice(count) : all(7));
      expect(texts(handed)).toEqual(['1', '2', '3', '4', '5', '6', '7'].slice(count));
    }
  });

  it('skips nothing when some are deleted elsewhere, even when as many arrived', () => {
    const [fewer, asMany] = [new Handed(), new Handed()];
    for (const handed of [fewer, asMany]) readAll(handed, all(4));
    readAll(fewer, all(5).slice(2));
    expect(texts(fewer)).toEqual(['1', '2', '3', '4', '5']);
    readAll(asMany, all(6).slice(2));
    expect(texts(asMany)).toEqual(['1', '2', '3', '4', '5', '6']);
  });

  it('says who gets further words, and their place, by the last answer in order, even after it was deleted', () => {
    const handed = new Handed();
    expect(handed.followUp).toEqual({ number: 1, read: [] });
    readAll(handed, [reply(3, { team: 'c'.repeat(16) }), reply(1), reply(4, { team: null }), reply(2)]);
    expect(handed.followUp).toEqual({ team: 'c'.repeat(16), number: 5, read: [1, 2, 3, 4].map((n) => idOf(n).slice(0, 16)) });
    handed.remove(handed.ids);
    handed.wrote(5);
    expect(handed.followUp).toMatchObject({ team: 'c'.repeat(16), number: 6 });
  });

  it('is not misled by an impossible number', () => {
    const handed = new Handed();
    readAll(handed, [reply(1, { team: 'e'.repeat(16), number: 2 ** 31 - 1 }), reply(2)]);
    expect([texts(handed), handed.followUp]).toEqual([['1', '2'], expect.objectContaining({ team: 'a'.repeat(16), number: 3 })]);
  });

  it('says what is missing once all was fetched, but never what was deleted in this visit', () => {
    const handed = new Handed();
    handed.take({ total: 3, first: 0, replies: [reply(5), reply(7)] });
    expect(handed.absent).toBe(0);
    handed.take({ total: 3, first: 2, replies: [reply(8)] });
    expect(handed.absent).toBe(2);
    const again = new Handed();
    readAll(again, [reply(1)]);
    again.remove(ids(1));
    readAll(again, [reply(2)]);
    expect([again.absent, texts(again)]).toEqual([0, ['2']]);
  });
});
