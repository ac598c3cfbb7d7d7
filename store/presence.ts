// How operators' tools learn that a relay is there: they ask over a channel of Redis, and every relay answers over another.
// Nothing of it is stored, so that no time stands in the append-only file between two parcels.
import { z } from 'zod';

export const channels = {
  /** An operator's tool asks: a nonce. */
  ask: 'relay:ask',
  /** Each relay answers: `RelayAnswer` as JSON. */
  answer: 'relay:answer',
} as const;

/** 16 bytes in hex: which question an answer belongs to. */
export const nonceSchema = z.string().regex(/^[0-9a-f]{32}$/);

const conditionSchema = z.strictObject({
  /** Why it takes no parcels, null when it does. */
  door: z.enum(['keyring', 'redis', 'pool', 'worker']).nullable(),
  /** The highest serial that it knows; 0: none. */
  newestKeyring: z.int().min(0),
  /** The keyrings in the offline form have all ended, so it is handed out no more. */
  offlineFormEnded: z.boolean(),
});

export const relayAnswerSchema = conditionSchema.extend({ nonce: nonceSchema });

/** What a relay says of itself: nothing about anybody who writes. */
export type RelayCondition = z.output<typeof conditionSchema>;
export type RelayAnswer = z.output<typeof relayAnswerSchema>;
