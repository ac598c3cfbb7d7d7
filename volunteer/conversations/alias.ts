// What a volunteer is called in the team. The same on a command line and in a browser: colleagues compare what they see.
import { ALIAS_LENGTH_MAX } from '../../crypto/note.ts';
import { visible } from '../visible.ts';

/** However it was typed. */
export function aliasFrom(text: string): string {
  return text.normalize('NFC').trim();
}

/** 1 to 40 UTF-16 units on one line, all of which are shown. */
export function isAlias(name: string): boolean {
  return name.length >= 1 && name.length <= ALIAS_LENGTH_MAX && visible(name) === name && !/[\n\t]/.test(name);
}

/** The same for aliases that read alike, as `Анна` and `анна` do, or with and without something that is not shown. */
export function aliasKey(alias: string): string {
  const shown = alias.normalize('NFKC').replace(/\p{Default_Ignorable_Code_Point}/gu, '');
  // What was left out may have stood between a letter and its accent.
  return shown
    .normalize('NFKC')
    .replace(/[\s\u2800]+/g, ' ')
    .trim()
    .toLowerCase();
}

/** Of those that read alike the first. */
export function distinctAliases(aliases: readonly string[]): string[] {
  const first = new Map<string, string>();
  for (const alias of aliases) first.set(aliasKey(alias), first.get(aliasKey(alias)) ?? alias);
  return [...first.values()];
}

export function aliasesExcept(aliases: readonly string[], others: readonly string[]): string[] {
  const keys = new Set(others.map(aliasKey));
  return aliases.filter((alias) => !keys.has(aliasKey(alias)));
}
