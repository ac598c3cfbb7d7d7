// Laws of who has a conversation, for any notes on it.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Note } from '../../crypto/note.ts';
import { aliasKey } from '../../volunteer/conversations/alias.ts';
import { holdingNotes, type WriterOf } from '../../volunteer/conversations/holders.ts';

const alias = fc.constantFrom('Ива', 'ива', 'Клён', 'Дуб');
const note = fc
  .record({
    action: fc.constantFrom('answer', 'claim', 'handover'),
    alias,
    to: alias,
    number: fc.integer({ min: 1, max: 4 }),
    signer: fc.constantFrom('a', 'b', 'c'),
  })
  .map((said) => ({ ...said, thread: '', text: '', id: '', earlier: [], signature: '' }) as Note);
const writerOf = fc.constantFrom<WriterOf>(
  ({ signer }) => signer,
  ({ alias: name }) => aliasKey(name),
);

it('a conversation that was handed over is with somebody to whom it was', () => {
  fc.assert(
    fc.property(fc.array(note), writerOf, (notes, by) => {
      const isHandover = ({ action }: Note): boolean => action === 'handover';
      expect(holdingNotes(notes, by).some(isHandover)).toBe(notes.some(isHandover));
    }),
  );
});

it('who has a conversation does not depend on the order in which its notes came', () => {
  fc.assert(
    fc.property(fc.array(note), writerOf, (notes, by) => {
      expect(new Set(holdingNotes(notes.toReversed(), by))).toEqual(new Set(holdingNotes(notes, by)));
    }),
  );
});

it('whoever writes a claim after everything else has the conversation', () => {
  fc.assert(
    fc.property(fc.array(note), note, writerOf, (notes, last, by) => {
      const claim: Note = { ...last, action: 'claim', number: 5 };
      expect(holdingNotes([...notes, claim], by)).toContain(claim);
    }),
  );
});
