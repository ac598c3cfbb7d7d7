// The order in which a conversation was written, without a clock. docs/protocol.md, § Order.
// Imports nothing, since pages use it too.

export const NUMBER_MAX = 2 ** 31 - 1;
/** Maximum number of short ids of earlier answers in one reply, note or follow-up. */
export const KNOWN_MAX = 16;
export const SHORT_ID_BYTES = 8;
/**
 * A number may exceed the number of items a reader knows by this much; a higher one counts as 0. Honest writers never get there,
 * and a stolen signer could otherwise stay last for ever and leave no number for those after.
 */
export const AHEAD_MAX = 10_000;

/** What writers say about the place of their words. `earlier`: short ids of the latest answers they knew. */
export type Order = { readonly number: number; readonly earlier: readonly string[] };
/** An order in which either field may be left out. */
export type OptionalOrder = { readonly [Name in keyof Order]?: Order[Name] | undefined };
/** `number`: undefined in what was written before there was an order. Ties are broken by `id`, then by `signature`. */
export type Place = { readonly number: number | undefined; readonly id: string; readonly signature: string };

/** The first 16 of an id's 32 hex digits. */
export function shortId(id: string): string {
  return id.slice(0, 2 * SHORT_ID_BYTES);
}

/** What a number counts as for a reader who knows `known` items of the conversation. */
function effectiveNumber(number: number | undefined, known: number): number {
  if (number === undefined) return 1;
  return number > known + AHEAD_MAX ? 0 : number;
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

/** The items of one conversation in the order of writing. `known`: how many items are known, if not just these. */
export function inOrder<T>(items: readonly T[], placeOf: (item: T) => Place, known: number = items.length): T[] {
  const placed = items.map((item) => ({ item, place: placeOf(item) }));
  const numberOf = ({ number }: Place): number => effectiveNumber(number, known);
  placed.sort(({ place: a }, { place: b }) => numberOf(a) - numberOf(b) || compare(a.id, b.id) || compare(a.signature, b.signature));
  return placed.map(({ item }) => item);
}

/** One more than the highest number among the known items of a conversation. `known`: how many there are. */
export function nextNumber(numbers: readonly (number | undefined)[], known: number = numbers.length): number {
  return 1 + Math.max(0, ...numbers.map((number) => effectiveNumber(number, known)));
}

/** Short ids of the last of `ids`, which are in order. */
export function latestIds(ids: readonly string[]): string[] {
  return [...new Set(ids.map(shortId))].slice(-KNOWN_MAX);
}

/** The mentioned answers (short ids) that are not among the known ones (ids or short ids). */
export function absentIds(mentioned: readonly string[], known: readonly string[]): string[] {
  const knownIds = new Set(known.map(shortId));
  return [...new Set(mentioned)].filter((id) => !knownIds.has(id));
}

/** The signed parts that an order adds; none without a number. */
export function orderParts(number: number | undefined, ids: readonly string[] | undefined): string[] {
  return number === undefined ? [] : [String(number), (ids ?? []).join('')];
}

/** The longest that an order can be. */
export const LONGEST_ORDER: Order = {
  number: NUMBER_MAX,
  earlier: Array.from({ length: KNOWN_MAX }, () => '0'.repeat(2 * SHORT_ID_BYTES)),
};
