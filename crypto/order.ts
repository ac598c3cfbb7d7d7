// In which order a conversation was written, without a clock. docs/protocol.md, § Order.
// It imports nothing: pages have it too.

export const NUMBER_MAX = 2 ** 31 - 1;
/** Short ids of earlier answers in one reply, note or follow-up. */
export const KNOWN_MAX = 16;
export const SHORT_ID_BYTES = 8;
/**
 * By so much a number may exceed the number of items that a reader knows; one that is higher counts as 0. Nobody gets there by
 * writing, and somebody with a stolen signer could otherwise be the last for ever, and leave no number for those after.
 */
export const AHEAD_MAX = 10_000;

/** What a writer says about the place of their words: `earlier` are short ids of the latest answers before. */
export type Order = { readonly number: number; readonly earlier: readonly string[] };
/** The same of somebody who may leave it out. */
export type OptionalOrder = { readonly [Name in keyof Order]?: Order[Name] | undefined };
/** `number`: undefined in what was written before there was an order. `id` decides between equal numbers, `signature` between equal ids. */
export type Place = { readonly number: number | undefined; readonly id: string; readonly signature: string };

/** The first 16 of an id's 32 hex digits. */
export function shortId(id: string): string {
  return id.slice(0, 2 * SHORT_ID_BYTES);
}

/** What a number counts as for who knows so many items of the conversation. */
function counted(number: number | undefined, known: number): number {
  if (number === undefined) return 1;
  return number > known + AHEAD_MAX ? 0 : number;
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

/** The items of one conversation in the order of writing, those with one number by id. `known`: how many are known, if not these. */
export function inOrder<T>(items: readonly T[], placeOf: (item: T) => Place, known: number = items.length): T[] {
  const placed = items.map((item) => ({ item, place: placeOf(item) }));
  const numberOf = ({ number }: Place): number => counted(number, known);
  placed.sort(({ place: a }, { place: b }) => numberOf(a) - numberOf(b) || compare(a.id, b.id) || compare(a.signature, b.signature));
  return placed.map(({ item }) => item);
}

/** One more than the highest number among the items that are known of a conversation, `known` of them. */
export function nextNumber(numbers: readonly (number | undefined)[], known: number = numbers.length): number {
  return 1 + Math.max(0, ...numbers.map((number) => counted(number, known)));
}

/** Short ids of the latest of these, which are in order. */
export function latestIds(ids: readonly string[]): string[] {
  return [...new Set(ids.map(shortId))].slice(-KNOWN_MAX);
}

/** Which of the answers that somebody mentions are not among those that are known (by their ids or short ids). */
export function absentIds(mentioned: readonly string[], known: readonly string[]): string[] {
  const here = new Set(known.map(shortId));
  return [...new Set(mentioned)].filter((id) => !here.has(id));
}

/** What `number` and the ids beside it add to the parts that are signed. */
export function orderParts(number: number | undefined, ids: readonly string[] | undefined): string[] {
  return number === undefined ? [] : [String(number), (ids ?? []).join('')];
}

/** As much room as an order takes at most. */
export const LONGEST_ORDER: Order = {
  number: NUMBER_MAX,
  earlier: Array.from({ length: KNOWN_MAX }, () => '0'.repeat(2 * SHORT_ID_BYTES)),
};
