// Numbers and names of the protocol for programs without libsodium, such as a page's scripts. Imports nothing.

/** Keys, and mailboxes, change by the week. */
export const WEEK_MS = 604_800_000;
/** A team's id in a keyring, a reply and a parcel's route. */
export const TEAM_ID_BYTES = 8;
/** BLAKE2b-256 of keyring.json. */
export const KEYRING_DIGEST_BYTES = 32;

/** The most bits that a stamp can be made or asked for. docs/protocol.md, § Stamp. */
export const MAX_DIFFICULTY = 24;
/** The most bits that a relay asks for, and a client works for: more take minutes on a phone without JIT. */
export const HIGHEST_DIFFICULTY = 20;

/** Why a relay accepts nothing, as /start.json and /door.json say it. */
export const DOOR_REASONS = ['keyring', 'maintenance', 'pool', 'redis', 'worker'] as const;
export type DoorReason = (typeof DOOR_REASONS)[number];

/**
 * What somebody who pasted a parcel can be told: one static page each, built in each language as paste/<page>.html and chosen by
 * the relay.
 */
export const PASTE_PAGES = ['accepted', 'unreadable', 'damaged', 'serial', 'stamp', 'full', 'away', 'closed', 'plaintext'] as const;
export type PastePage = (typeof PASTE_PAGES)[number];
