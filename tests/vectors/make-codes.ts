// The vectors of codes as people type them: what numbers the words, what parts them, and what Unicode can do. Called by make.ts.
import { utf8 } from '../../crypto/bytes.ts';
import { wordsOf } from '../../crypto/code.ts';
import { codeOf, ELEVEN, LIST } from './make-conversation.ts';
import type { Vector } from './run.ts';

/** Two or three letters each, none of them three times: what is dropped is dropped for the number beside it. */
const ENDINGS = ['ая', 'ое', 'ый', 'ий', 'ье', 'му', 'st', 'nd', 'rd', 'th', 'abc', 'que'];
const ROMAN = 'ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩⅪⅫ';

export function codeVectors(): { readonly blobs: Record<string, Uint8Array>; readonly vectors: Vector[] } {
  const code = codeOf(ELEVEN);
  const shown = wordsOf(code, LIST);
  const [first = '', second = ''] = shown;
  const blobs: Record<string, Uint8Array> = {};
  const vectors: Vector[] = [];
  const add = (name: string, text: string, value: unknown): void => {
    blobs[name] = utf8(text);
    vectors.push({ name, op: 'readCode', input: name, expect: { value } });
  };
  const read = (name: string, text: string): void => add(`a code ${name}`, text, { code });
  const none = (name: string, text: string, position: number): void => add(`a code ${name}`, text, { problem: { kind: 'word', position } });
  const each = (make: (word: string, index: number) => string, between = ' '): string => shown.map(make).join(between);
  const firstAs = (make: (word: string) => string): string => shown.with(0, make(first)).join(' ');
  const parted =
    (between: string): ((word: string) => string) =>
    (word) =>
      word.slice(0, 3) + between + word.slice(3);

  // A word that was parted at the end of a line.
  read('with other dashes at the ends of lines', each(parted('\u2010\r\n')));
  read('with a dash and several spaces in its words', each(parted('\u2013 \t\u00a0 ')));
  read('with a dash and NEL in its words', each(parted('-\u0085')));
  read('with a dash, a soft hyphen and a line end in its words', each(parted('-\u00ad\n')));
  read('with a dash, a byte order mark and a line separator in its words', each(parted('-\ufeff\u2028')));
  read(
    'with a word in three parts',
    firstAs((word) => `${word.slice(0, 2)}-\n${word.slice(2, 4)}-\n${word.slice(4)}`),
  );
  read(
    'with a dash and a line end between its words',
    each((word) => word.slice(0, 4), '-\n'),
  );
  none('with a line end and no dash in a word', firstAs(parted('\n')), 1);
  none('with a soft hyphen and a line end in a word', firstAs(parted('\u00ad\n')), 1);
  none('with a dash and nothing else in a word', firstAs(parted('-')), 1);
  none('with white space before the dash in a word', firstAs(parted(' -\n')), 1);
  none('with two dashes in a word', firstAs(parted('--\n')), 1);
  none('with a minus sign in a word', firstAs(parted('\u2212\n')), 1);

  // What numbers the words.
  read(
    'with ordinals of two and three letters',
    each((word, i) => `${String(i + 1)}-${ENDINGS[i] ?? ''} ${word}`),
  );
  read(
    'with ordinals without a dash',
    each((word, i) => `${String(i + 1)}${ENDINGS[i] ?? ''}: ${word}`),
  );
  read(
    'with ordinals with what nobody sees in them',
    each((word, i) => `${String(i + 1)}\u200b-\u2060${ENDINGS[i] ?? ''} ${word}`),
  );
  read(
    'with letters in front of numbers',
    each((word, i) => `${ENDINGS[i] ?? ''}${String(i + 1)} ${word}`),
  );
  read(
    'with letters in front of Roman numbers',
    each((word, i) => `${ENDINGS[i] ?? ''}${ROMAN[i] ?? ''} ${word}`),
  );
  read(
    'with small numbers behind letters',
    each((word, i) => `${word} ${ENDINGS[i] ?? ''}²`),
  );
  read(
    'with numbers directly before its words',
    each((word, i) => `${String(i + 1)}${word}`),
  );
  read('with a single letter here and there', `x ${first} \u0435\u0301 ${shown.slice(1).join(' ')} z`);
  none('with four letters beside a number', `1abcd ${shown.join(' ')}`, 1);
  none('with two letters beside a number that are four', `1ﬃx ${shown.join(' ')}`, 1);
  none('with letters behind a number and two dashes', `1--ая ${shown.join(' ')}`, 1);
  none('with letters behind a number and a space', `1 ая ${shown.join(' ')}`, 1);
  none('with letters before a dash and a number', `ая-1 ${shown.join(' ')}`, 1);

  // Labels: what is no word and is there three times.
  read(
    'with a label three times, each written in another way',
    `Слово ${first} СЛОВО ${second} сл\u043e\u0301во ${shown.slice(2).join(' ')}`,
  );
  none('with a label twice', `слово ${first} слово ${shown.slice(1).join(' ')}`, 1);
  none('with a label twice, and once more beside a number', `сло ${first} сло ${second} 3сло ${shown.slice(2).join(' ')}`, 1);
  add('a code with one of its words three times', [...shown, first, first].join(' '), { problem: { kind: 'count', count: 14 } });
  none('of thirteen words, one of which is none', [...shown, 'window'].join(' '), 13);

  // Letters in other forms.
  read(
    'in full-width letters that look like its own',
    shown.join(' ').replaceAll('а', '\uff41').replaceAll('е', '\uff45').replaceAll('о', '\uff4f'),
  );
  read('in letters with accents that look like its own', shown.join(' ').replaceAll('а', 'á').replaceAll('е', 'ê').replaceAll('о', 'ö'));
  read(
    'with marks that stand alone',
    each((word) => `\u0301 ${word}`),
  );
  return { blobs, vectors };
}
