// The word lists of the access code; docs/words.md has their rules.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DISTINCT_LETTERS, normalizeWord, placeOf, WORD_LIST_LENGTH } from '../../crypto/words.ts';

interface Language {
  readonly name: string;
  readonly form: RegExp;
  /** Two words with the same key may be confused by ear. */
  readonly sound: (word: string) => string;
  /** Pairs that `sound` must find alike. */
  readonly alike: readonly (readonly [string, string])[];
  readonly never: RegExp;
}

const single = (text: string): string => text.replaceAll(/(.)\1+/gu, '$1');
const replaceEach = (text: string, rules: readonly (readonly [RegExp, string])[]): string =>
  rules.reduce((now, [from, to]) => now.replaceAll(from, to), text);

/** @param patterns separated by white space */
const beginningWith = (patterns: string): RegExp => new RegExp(`^(${patterns.trim().split(/\s+/).join('|')})`);

/** Every vowel as if unstressed, every consonant voiceless, ъ and ь dropped. */
const soundOfRussian = (word: string): string =>
  single(
    replaceEach(word, [
      [/о/g, 'а'],
      [/[еяйэы]/g, 'и'],
      [/ю/g, 'у'],
      [/[ъь]/g, ''],
      [/б/g, 'п'],
      [/в/g, 'ф'],
      [/г/g, 'к'],
      [/д/g, 'т'],
      [/ж/g, 'ш'],
      [/з/g, 'с'],
      [/сч|щ/g, 'ш'],
      [/тс/g, 'ц'],
    ]),
  );

/**
 * Consonants as in Metaphone (capitals: C as in "chair", J as in "jam", S as in "shoe", T as in "thaw"); vowels in three kinds:
 * a, e and i, o and u.
 */
const soundOfEnglish = (word: string): string =>
  single(
    replaceEach(word, [
      [/^[kgp]n/g, 'n'],
      [/^wr/g, 'r'],
      [/wh/g, 'w'],
      [/^ps/g, 's'],
      [/^x/g, 's'],
      [/mb$/g, 'm'],
      [/lk$/g, 'k'],
      [/tch|ch/g, 'C'],
      [/[tcs]i(?=[ao])|sh/g, 'S'],
      [/ph/g, 'f'],
      [/th/g, 'T'],
      [/ck|q/g, 'k'],
      [/x/g, 'ks'],
      [/z/g, 's'],
      [/gh(?=t|$)/g, ''],
      [/gh/g, 'g'],
      [/dg/g, 'J'],
      [/g(?=[eiy])|j/g, 'J'],
      [/sc(?=[eiy])/g, 's'],
      [/c(?=[eiy])/g, 's'],
      [/c/g, 'k'],
      [/(?<=[^aeiouy])e$/g, ''],
      [/(?<=[aeiouy])h(?![aeiouy])/g, ''],
      [/(?<=[aeo])w/g, 'u'],
      [/[aeo]r$/g, 'er'],
      [/a[aeiouy]*/g, 'a'],
      [/[eiy][aeiouy]*/g, 'e'],
      [/[ou][aeiouy]*/g, 'o'],
    ]),
  );

const LANGUAGES: readonly Language[] = [
  {
    name: 'ru',
    form: /^[а-я]{4,8}$/,
    sound: soundOfRussian,
    alike: [
      ['калоша', 'галоша'],
      ['плющ', 'плюш'],
      ['компания', 'кампания'],
      ['порог', 'порок'],
    ],
    never: beginningWith(`
      акаци арест банда баран бирк бомб брон бутыл вагнер вафл вешал вино водк войн газел газета гей герань гиацин гиббон
      голуб гранат гребен груз дожд допрос дурь закон зверь зона калин карниз кета кинжал клад козел козыр кокос колес крест
      кров крок крым крыш куре лагер лепест мак$ манд маяк медуз мент мина мусор мясо нарк нива нож обыск окно ольха опер
      орешник оруж осел пасха педа пету петух пиво пид пион пистол плакат план побег пожар полиц полк пост$ протест пуля
      путь радуг ракет реш[кё] росси секс смерт собол сова соси сосу спайс спектр сперм ствол суд сука сукн сфера танк терр
      террор трав транс труп тюрьм укроп утка уточ флаг фронт фсб хач хохл хохо хрен церк чече чечен швабр шиш шкаф шлюх
      шмель шприц ячей
    `),
  },
  {
    name: 'en',
    form: /^[a-z]{4,8}$/,
    sound: soundOfEnglish,
    alike: [
      ['knight', 'nite'],
      ['whale', 'wale'],
      ['cellar', 'seller'],
      ['phase', 'faze'],
      ['beet', 'beat'],
    ],
    never: beginningWith(`
      acid alcohol ammo anal arms?$ army arrest ass$ badge bastard beer binder bitch blood bomb boob breast bull butt camp
      casing closet cock coke condom cop$ coppe corpse cottag court crack crime crisis cross cum death devil dick dope draft
      drug drunk dyke edib fag fart flag fluid frisk fuck gay gender grave grenade guard gun hang heroin heron homo jail jew
      judge jumper kill knife ledge lesb limpet meth missile murder musl muslim navy naz nigg nurse opium orgy ped[aeo]
      penis piss pistol polic police porn pot$ prick pride prison protest puss queer rainb rape rapi rebel rect rifle riot
      rocket roof russ sex shit slave slut soldier spade sperm spy stab tank$ terr testic tit tobac tort torture trans trump
      turk ukrain vagina viol vodka vulv war$ weap weed whis whore wine$ womb
    `),
  },
];

describe.each(LANGUAGES)('the words of $name', ({ name, form, sound, alike, never }) => {
  const file = readFileSync(new URL(`../../locales/${name}/words.txt`, import.meta.url), 'utf8');
  const words = file.split('\n').slice(0, -1);
  const twice = (key: (word: string) => string): string[] => {
    const first = new Map<string, string>();
    return words.flatMap((word) => {
      const other = first.get(key(word));
      first.set(key(word), word);
      return other === undefined ? [] : [`${other} ${word}`];
    });
  };

  it('are as many as the code needs, one per line', () => {
    expect(file.endsWith('\n')).toBe(true);
    expect(words).toHaveLength(WORD_LIST_LENGTH);
  });

  it('are sorted by code point', () => {
    expect(words).toEqual([...words].sort());
  });

  it('have 4 to 8 lowercase letters', () => {
    expect(words.filter((word) => !form.test(word))).toEqual([]);
  });

  it('are distinct in their first letters', () => {
    expect(twice((word) => word.slice(0, DISTINCT_LETTERS))).toEqual([]);
    expect(words.filter((word, place) => placeOf(word.slice(0, DISTINCT_LETTERS), words) !== place)).toEqual([]);
  });

  it('do not sound alike', () => {
    expect(twice(sound)).toEqual([]);
  });

  it.each(alike)('the rule of sound finds %s and %s alike', (one, other) => {
    expect(sound(one)).toBe(sound(other));
  });

  it('are unchanged by normalization', () => {
    expect(words.filter((word) => normalizeWord(word, words) !== word)).toEqual([]);
    expect(words.filter((word, place) => placeOf(word.toUpperCase(), words) !== place)).toEqual([]);
  });

  it('neither frighten nor accuse', () => {
    expect(words.filter((word) => never.test(word))).toEqual([]);
  });
});
