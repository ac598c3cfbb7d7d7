/** Whether a version (1.2.3, or 1.2.3-rc.1, which comes before 1.2.3) is newer than another, by https://semver.org § 11. */
export function isNewer(version: string, than: string): boolean {
  const [a, b] = [parsed(version), parsed(than)];
  for (let at = 0; at < 3; at += 1) {
    const difference = (a.numbers[at] ?? 0) - (b.numbers[at] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  if (a.before.length === 0 || b.before.length === 0) return a.before.length === 0 && b.before.length > 0;
  return comparePieces(a.before, b.before) > 0;
}

type Version = { readonly numbers: readonly number[]; readonly before: readonly string[] };

function parsed(version: string): Version {
  const [core = '', ...before] = version.split('-');
  return { numbers: core.split('.').map(Number), before: before.length === 0 ? [] : before.join('-').split('.') };
}

function comparePieces(a: readonly string[], b: readonly string[]): number {
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    const [x, y] = [a[at], b[at]];
    if (x === undefined || y === undefined) return x === undefined ? -1 : 1;
    if (x === y) continue;
    const [isNumber, isOther] = [/^\d+$/.test(x), /^\d+$/.test(y)];
    if (isNumber && isOther) return Number(x) - Number(y);
    if (isNumber !== isOther) return isNumber ? -1 : 1;
    return x < y ? -1 : 1;
  }
  return 0;
}
