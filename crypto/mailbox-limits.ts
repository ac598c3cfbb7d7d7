// How much a mailbox takes.

/** Replies that one mailbox holds of a week. */
export const REPLIES_A_WEEK = 16;
/** Of these, by one signer. */
export const REPLIES_A_WEEK_BY_ONE = 12;
/** For a year and the week that has begun: more than any mailbox holds, whatever a relay says. */
export const MOST_REPLIES = REPLIES_A_WEEK * 54;
