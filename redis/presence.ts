// How operators' tools learn which relays are there: a tool asks over one Redis channel, and every relay answers over another.
// Nothing of it is stored, so that no time gets into the append-only file between two parcels.
import * as z from 'zod';
import { DOOR_REASONS } from '../crypto/wire.ts';

export const channels = {
  /** A tool asks: a nonce. */
  ask: 'relay:ask',
  /** Each relay answers: `RelayAnswer` as JSON. */
  answer: 'relay:answer',
} as const;

/** 16 bytes in hex: the question that an answer belongs to. */
export const nonceSchema = z.string().regex(/^[0-9a-f]{32}$/);

/**
 * How much of its limit (RELAY_SEEN_LIMIT) a keyring's parcels have used: up to a third, up to two thirds, more, all. There is no
 * word for none: it would reveal the first parcel.
 */
export const SHARES = ['low', 'half', 'high', 'full'] as const;

const takenSchema = z.strictObject({
  serial: z.int().min(1),
  share: z.enum(SHARES),
  /** Extra bits that a stamp costs under this keyring, because more parcels came than should have by now. */
  dearer: z.int().min(0),
});
/** A keyring under which parcels are accepted. The relay measures these values once a round. */
export type Taken = z.output<typeof takenSchema>;

/** A file in a folder of keyrings that is not used: its name, and the code of an error, each one word. */
const passedOverSchema = z.strictObject({ file: z.string().max(64), code: z.string().max(64) });
export type PassedOver = z.output<typeof passedOverSchema>;
/** That many are reported: an operator looks into the folder anyway. */
export const MAX_PASSED_OVER = 8;

/** What a relay or a worker still lacks, because nobody has given or made it, or cannot use. */
const GAPS = [
  'root-missing',
  'root-unusable',
  'root-replaced',
  'form-missing',
  'form-unusable',
  'inboxes-missing',
  'inboxes-changed',
  'keys-missing',
] as const;
export type Gap = (typeof GAPS)[number];

const conditionSchema = z.strictObject({
  /** Why the relay accepts no parcels, null when it does. */
  door: z.enum(DOOR_REASONS).nullable(),
  /** The highest serial the relay knows; 0: none. */
  newestKeyring: z.int().min(0),
  /** Files in the relay's folder of keyrings that are not used. */
  passedOver: z.array(passedOverSchema).max(MAX_PASSED_OVER),
  /** True when all keyrings of the offline form have ended, so that it is no longer handed out. */
  offlineFormEnded: z.boolean(),
  gaps: z.array(z.enum(GAPS)),
  /** All keys were made on this server, to try it out. */
  isTrial: z.boolean(),
  limits: z.strictObject({ pool: z.int(), seen: z.int() }),
  /** The keyrings under which parcels are accepted, by rising serial. */
  taken: z.array(takenSchema),
  /** Of the relay's program. */
  version: z.string().max(32),
  /** The relay's clock, in minutes since 1970. */
  clockMinutes: z.int(),
});

/** Passes over what a newer relay says besides: an operator has to learn that the versions differ, not that it is silent. */
export const relayAnswerSchema = z.object({ ...conditionSchema.shape, nonce: nonceSchema });

/** What a relay says about itself; nothing about anybody who writes. */
export type RelayCondition = z.output<typeof conditionSchema>;
export type RelayAnswer = z.output<typeof relayAnswerSchema>;
