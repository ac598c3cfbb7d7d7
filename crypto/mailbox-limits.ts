// How many replies a mailbox holds.

/** Maximum number of replies of one week in one mailbox. */
export const REPLIES_A_WEEK = 16;
/** Of these, at most this many by one signer. */
export const REPLIES_A_WEEK_BY_ONE = 12;
/** A year's replies and the current week's: no mailbox holds more, whatever a relay says. */
export const MAX_REPLIES = REPLIES_A_WEEK * 54;
