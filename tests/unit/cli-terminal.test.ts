import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { block, visible, visibleJson, visibleLine } from '../../cli/terminal/terminal.ts';

const MOVES_OR_HIDES = /[\p{Cc}\p{Bidi_Control}\u2028\u2029\u200b\ufeff\p{Cs}]/u;

describe('foreign text on a terminal', () => {
  test.each([
    ['\u001b[2J\u001b[H', '‹U+001B›[2J‹U+001B›[H'],
    ['\u009b31m', '‹U+009B›31m'],
    ['safe\rfake', 'safe‹U+000D›fake'],
    ['a\u202eb\u2066c\u2069', 'a‹U+202E›b‹U+2066›c‹U+2069›'],
    ['bell\u0007 back\b', 'bell‹U+0007› back‹U+0008›'],
    ['\ud800', '‹U+D800›'],
    ['\u{e0041}', '‹U+E0041›'],
    ['\u200bx\ufeff', '‹U+200B›x‹U+FEFF›'],
    ['Anna\u034f\u200d 1\ufe0f \u2800\u{1d159}', 'Anna‹U+034F›‹U+200D› 1‹U+FE0F› ‹U+2800›‹U+1D159›'],
  ])('%j becomes %j', (text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  test('ordinary text stays: Cyrillic, accents, emoji with joiners, lines and tabs', () => {
    const text = 'Ёжик\té́\n👩‍👧‍👦 👩🏽‍❤️‍👨🏻 🏳️‍🌈 1️⃣ ✌️\r\nend';
    expect(visible(text)).toBe(text.replace('\r', ''));
  });

  test('a single line stays one', () => {
    expect(visibleLine('a\nb\tc')).toBe('a‹U+000A›b c');
  });

  test('law: nothing that moves the cursor or changes the reading direction is left', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(visible(text).replaceAll(/[\n\t]/g, '')).not.toMatch(MOVES_OR_HIDES);
      }),
    );
  });

  test('law: JSON shows nothing harmful and means the same', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const json = visibleJson({ text });
        expect(json).not.toMatch(MOVES_OR_HIDES);
        expect(JSON.parse(json)).toEqual({ text });
      }),
    );
  });

  test('law: every line of a block is indented and short enough not to be wrapped by the terminal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 600 }), fc.integer({ min: 30, max: 200 }), (text, columns) => {
        for (const line of block(text, columns).split('\n')) {
          expect(line === '' || line.startsWith('    ')).toBe(true);
          const wide = [...line].reduce((sum, character) => sum + ((character.codePointAt(0) ?? 0) >= 0x1100 ? 2 : 1), 0);
          expect(wide).toBeLessThanOrEqual(Math.min(columns, 100));
        }
      }),
    );
  });

  test('a block breaks at spaces and keeps all words', () => {
    const words = Array.from({ length: 60 }, (_, index) => `слово${String(index)}`);
    const shown = block(words.join(' '), 60);
    expect(shown.split(/\s+/).filter(Boolean)).toEqual(words);
  });
});
