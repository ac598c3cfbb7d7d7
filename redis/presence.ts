// How operators' tools learn that a relay is there: they ask over a channel of Redis, and every relay answers over another.
// Nothing of it is stored, so that no time stands in the append-only file between two parcels.
import * as z from 'zod';

export const channels = {
  /** An operator's tool asks: a nonce. */
  ask: 'relay:ask',
  /** Each relay answers: `RelayAnswer` as JSON. */
  answer: 'relay:answer',
} as const;

/** 16 bytes in hex: which question an answer belongs to. */
export const nonceSchema = z.string().regex(/^[0-9a-f]{32}$/);

/**
 * How many parcels came under a keyring, of as many as may (RELAY_SEEN_LIMIT): up to a third, up to two thirds, more, all. No
 * word for none: it would tell of the first.
 */
export const SHARES = ['low', 'half', 'high', 'full'] as const;

const takenSchema = z.strictObject({
  serial: z.int().min(1),
  share: z.enum(SHARES),
  /** Bits that a stamp costs more under it, because more came than may by now. */
  dearer: z.int().min(0),
});
/** A keyring that parcels are taken under, as the relay's last look in a round found it. */
export type Taken = z.output<typeof takenSchema>;

const conditionSchema = z.strictObject({
  /** Why it takes no parcels, null when it does. */
  door: z.enum(['keyring', 'redis', 'pool', 'worker']).nullable(),
  /** The highest serial that it knows; 0: none. */
  newestKeyring: z.int().min(0),
  /** The keyrings in the offline form have all ended, so it is handed out no more. */
  offlineFormEnded: z.boolean(),
  limits: z.strictObject({ pool: z.int(), seen: z.int() }),
  /** The keyrings that it takes parcels under, by rising serial. */
  taken: z.array(takenSchema),
});

export const relayAnswerSchema = conditionSchema.extend({ nonce: nonceSchema });

/** What a relay says of itself: nothing about anybody who writes. */
export type RelayCondition = z.output<typeof conditionSchema>;
export type RelayAnswer = z.output<typeof relayAnswerSchema>;
