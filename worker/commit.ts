import { shuffled } from '../crypto/bytes.ts';
import type { WorkerDrop } from '../redis/drops.ts';
import { keys, SET_ANCHOR, rememberedId } from '../redis/keys.ts';
import type { Bucket } from '../redis/mailboxes.ts';

/** What becomes of a parcel. `keyId`: of the worker's key that opened it; null: none did. */
export type Outcome =
  | { readonly kind: 'drop'; readonly id: Buffer; readonly keyId: string | null; readonly reason: WorkerDrop }
  | { readonly kind: 'letter'; readonly id: Buffer; readonly keyId: string; readonly letter: Buffer; readonly to: readonly Copy[] }
  /** A reply goes into the first free place of the bucket. */
  | { readonly kind: 'reply'; readonly id: Buffer; readonly keyId: string; readonly reply: Buffer; readonly bucket: Bucket }
  | Deletion
  /** Back into the pool: this worker could not decide, or there is no room for it yet. */
  | { readonly kind: 'back'; readonly id: Buffer };

/** A letter goes to each inbox of its team, under a different id for each. */
type Copy = { readonly inbox: string; readonly letterId: Buffer };

/** Removes the replies with these digests (SHA-1, hex) from these buckets, in whichever place each is by then. */
type Deletion = {
  readonly kind: 'delete';
  readonly id: Buffer;
  readonly keyId: string;
  readonly digests: readonly string[];
  readonly buckets: readonly Bucket[];
};

type Token = string | number | Buffer;

/**
 * Builds the input of the commit script: the names of keys, and a tape of arguments. worker/lua/commit.lua documents its
 * grammar.
 */
export function commitTape(instance: string, outcomes: readonly Outcome[]): { names: string[]; args: Token[] } {
  const names = new Names(keys.claim(instance), keys.claims, keys.dropped, keys.pool, keys.lease(instance));
  const sorted = outcomes.toSorted((a, b) => a.id.compare(b.id));
  const args = [
    ...[instance, SET_ANCHOR],
    ...countedList(sorted, (outcome) => [outcome.id, ...rememberedTokens(outcome, names)]),
    ...shuffled(outcomes)
      .flatMap((outcome) => [[sorted.indexOf(outcome) + 1, outcome.kind], outcomeTokens(outcome, names)])
      .flat(),
  ];
  return { names: names.all, args };
}

/** Names of keys, each listed once and numbered from 1, as Lua does. */
class Names {
  readonly all: string[];

  constructor(...names: readonly string[]) {
    this.all = [...names];
  }

  numberOf(name: string): number {
    const known = this.all.indexOf(name);
    return (known === -1 ? this.all.push(name) - 1 : known) + 1;
  }
}

/** Only a parcel that a key opened is remembered; 0 stands for none. */
function rememberedTokens(outcome: Outcome, names: Names): Token[] {
  return outcome.kind === 'back' || outcome.keyId === null
    ? [0, '']
    : [names.numberOf(keys.opened(outcome.keyId)), rememberedId(outcome.id)];
}

function outcomeTokens(outcome: Outcome, names: Names): Token[] {
  switch (outcome.kind) {
    case 'back':
      return [];
    case 'drop':
      return [outcome.reason];
    case 'letter':
      return [outcome.letter, ...countedList(outcome.to, ({ inbox, letterId }) => [names.numberOf(keys.outbox(inbox)), letterId])];
    case 'reply':
      return [...bucketTokens(outcome.bucket, names), outcome.reply];
    case 'delete':
      return [
        ...countedList(outcome.digests, (digest) => [digest]),
        ...countedList(outcome.buckets, (bucket) => bucketTokens(bucket, names)),
      ];
  }
}

function bucketTokens({ key, fields }: Bucket, names: Names): Token[] {
  return [names.numberOf(key), ...countedList(fields, (field) => [field])];
}

/** The number of items, then the tokens of each. */
function countedList<T>(items: readonly T[], tokensOfOne: (item: T) => Token[]): Token[] {
  return [items.length, ...items.flatMap(tokensOfOne)];
}
