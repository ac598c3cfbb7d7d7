/** After more than two typing errors it is another word. */
const SLIPS_MAX = 2;

/** The name that somebody may have meant; null when none is near. */
export function closest(typed: string, names: readonly string[]): string | null {
  const [first] = names.map((name) => ({ name, slips: slipsBetween(typed, name) })).sort((a, b) => a.slips - b.slips);
  return first !== undefined && first.slips <= SLIPS_MAX && first.slips < first.name.length ? first.name : null;
}

/** How many letters are missing, added, wrong or exchanged with the next one: the Damerau-Levenshtein distance. */
function slipsBetween(a: string, b: string): number {
  const rows: number[][] = [];
  const at = (i: number, j: number): number => rows[i]?.[j] ?? Math.max(i, j);
  for (let i = 0; i <= a.length; i += 1) {
    rows[i] = [];
    for (let j = 0; j <= b.length; j += 1) {
      const isWrong = a[i - 1] !== b[j - 1];
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const ways = [at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + (isWrong ? 1 : 0)];
      if (isSwapped) ways.push(at(i - 2, j - 2) + 1);
      rows[i]?.push(i === 0 || j === 0 ? Math.max(i, j) : Math.min(...ways));
    }
  }
  return at(a.length, b.length);
}
