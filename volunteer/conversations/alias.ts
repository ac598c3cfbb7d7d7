// What a volunteer is called in the team. Shared by the command line and the desk: colleagues compare what they see.
import { ALIAS_LENGTH_MAX } from '../../crypto/note.ts';
import { visible } from '../visible.ts';

/** An alias as it is stored, however it was typed: composed (NFC), without blanks around it. */
export function aliasFrom(text: string): string {
  return text.normalize('NFC').trim();
}

/** 1 to 40 UTF-16 units on one line, all of which are shown. */
export function isAlias(name: string): boolean {
  return name.length >= 1 && name.length <= ALIAS_LENGTH_MAX && visible(name) === name && !/[\n\t]/.test(name);
}

/** Equal for aliases that read alike, as `Анна` and `анна` do, and for aliases that differ only by characters that are not shown. */
export function aliasKey(alias: string): string {
  const shown = alias.normalize('NFKC').replace(/\p{Default_Ignorable_Code_Point}/gu, '');
  // A character left out above may have stood between a letter and its accent.
  return shown
    .normalize('NFKC')
    .replace(/[\s\u2800]+/g, ' ')
    .trim()
    .toLowerCase();
}

/** Each alias once: the first of those that read alike. */
export function distinctAliases(aliases: readonly string[]): string[] {
  const first = new Map<string, string>();
  for (const alias of aliases) first.set(aliasKey(alias), first.get(aliasKey(alias)) ?? alias);
  return [...first.values()];
}

export function aliasesExcept(aliases: readonly string[], others: readonly string[]): string[] {
  const keys = new Set(others.map(aliasKey));
  return aliases.filter((alias) => !keys.has(aliasKey(alias)));
}
