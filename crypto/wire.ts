// Numbers and names of the protocol that programs need which have no libsodium, such as the scripts of a page. Imports nothing.

/** What stands for a team in a keyring, a reply and a parcel's route. */
export const TEAM_ID_BYTES = 8;
/** BLAKE2b-256 of keyring.json. */
export const KEYRING_DIGEST_BYTES = 32;

/** More than this no stamp can be made or asked for. docs/protocol.md, § Stamp. */
export const MAX_DIFFICULTY = 24;
/** What a relay asks for at most: a phone without JIT needs minutes for more. A client refuses to work for more. */
export const HIGHEST_DIFFICULTY = 20;

/** Why a relay takes nothing in, as /start.json and /door.json say it. */
export const DOOR_REASONS = ['keyring', 'pool', 'redis', 'worker'] as const;
export type DoorReason = (typeof DOOR_REASONS)[number];

/**
 * What somebody who pasted a parcel can be told: a static page each, built for each language as paste/<page>.html and chosen by the relay.
 */
export const PASTE_PAGES = ['accepted', 'unreadable', 'damaged', 'serial', 'stamp', 'full', 'away', 'closed', 'plaintext'] as const;
export type PastePage = (typeof PASTE_PAGES)[number];
