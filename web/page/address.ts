// The site's own address, as a person writes it down.

const GROUP = 4;
const ONION = '.onion';

/** An onion address in groups of four letters, its ending last; any other address in one piece. */
export function groupsOf(host: string): string[] {
  if (!host.endsWith(ONION)) return [host];
  const name = host.slice(0, -ONION.length);
  const groups = Array.from({ length: Math.ceil(name.length / GROUP) }, (_, i) => name.slice(i * GROUP, (i + 1) * GROUP));
  return [...groups, ONION];
}
