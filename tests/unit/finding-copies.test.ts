// Damaged copies of a letter in one message: which of them can be ignored.
import { expect, test } from 'vitest';
import { rankOf, spoiledCopies, type Copy } from '../../volunteer/finding/copies.ts';
import { unopenableLetter } from '../support/unopenable-letter.ts';

const [request, note] = [unopenableLetter(), unopenableLetter()];
const OPENED = rankOf(null);
const FOR_OTHERS = rankOf('AGE_NO_MATCH');
const SPOILED = rankOf('LETTER_STRUCTURE');
const copy = (bytes: Uint8Array, via: Copy['via'], rank = OPENED): Copy => ({ bytes, via, rank });
const changed = (at: number): Uint8Array => request.map((byte, index) => (index === at ? byte ^ 1 : byte));
const CRLF = new Uint8Array(Buffer.from(Buffer.from(request).toString('latin1').replaceAll('\n', '\r\n'), 'latin1'));

test.each<readonly [string, Copy, boolean]>([
  ['cut off behind its keys', copy(request.subarray(0, 13_000), 'file', SPOILED), true],
  ['with other line ends', copy(CRLF, 'file', SPOILED), true],
  ['that opens no more', copy(changed(20_000), 'file', rankOf('AGE_PAYLOAD')), true],
  ['whose stanza is spoiled, so that it seems to be for others', copy(changed(5000), 'file', FOR_OTHERS), true],
  ['that is empty', copy(new Uint8Array(), 'file', SPOILED), true],
  ['that breaks off where all letters are alike', copy(request.subarray(0, 30), 'file', SPOILED), true],
  ['of another letter, cut off', copy(note.subarray(0, 13_000), 'file', SPOILED), false],
  ['of another letter, that opens no more', copy(note, 'file', rankOf('AGE_MAC')), false],
  ['of another letter, for others', copy(note, 'file', FOR_OTHERS), false],
  ['with other bytes from the first on', copy(new Uint8Array(200).fill(7), 'file', SPOILED), false],
  ['that is empty, in the form in which the letter itself came', copy(new Uint8Array(), 'text', SPOILED), false],
])('beside armor that opens, an attachment %s', (_what, spoiled, isCopy) => {
  expect(spoiledCopies([copy(request, 'text'), spoiled]).has(spoiled)).toBe(isCopy);
});

test('of two empty attachments, only as many are copies as letters came in the other form alone', () => {
  const empty = [copy(new Uint8Array(), 'file', SPOILED), copy(new Uint8Array(), 'file', SPOILED)];
  expect(spoiledCopies([copy(request, 'text'), ...empty]).size).toBe(1);
  expect(spoiledCopies([copy(request, 'text'), copy(note, 'text'), ...empty]).size).toBe(2);
  expect(spoiledCopies([copy(request, 'both'), ...empty]).size).toBe(0);
});

test('a letter that opened but is not believed is not a copy', () => {
  const foreign = copy(request, 'file', rankOf('NOTE_FOREIGN'));
  expect(spoiledCopies([copy(request, 'text'), foreign]).size).toBe(0);
});
