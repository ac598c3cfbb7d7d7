/** More than two slips of the finger make another word. */
const SLIPS_MAX = 2;

/** The word that somebody may have meant; null when none is near. */
export function closest(typed: string, words: readonly string[]): string | null {
  const ranked = words.map((word) => ({ word, slips: slipsBetween(typed, word) })).sort((a, b) => a.slips - b.slips);
  const [first] = ranked;
  return first !== undefined && first.slips <= SLIPS_MAX && first.slips < first.word.length ? first.word : null;
}

/** Letters that are left out, added, wrong or exchanged with the next one. */
function slipsBetween(a: string, b: string): number {
  const rows: number[][] = [];
  const at = (i: number, j: number): number => rows[i]?.[j] ?? Math.max(i, j);
  for (let i = 0; i <= a.length; i += 1) {
    rows[i] = [];
    for (let j = 0; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const value =
        i === 0 || j === 0
          ? Math.max(i, j)
          : Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + same, isSwapped ? at(i - 2, j - 2) + 1 : Infinity);
      rows[i]?.push(value);
    }
  }
  return at(a.length, b.length);
}
