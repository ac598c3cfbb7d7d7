/** Why a parcel was dropped, as operators see it counted (docs/operations.md). The first two only Redis can see, when a round is written. */
export const DROP_REASONS = [
  ...(['replay', 'mailbox-full'] as const),
  ...(['decoy', 'unopenable', 'damaged', 'format', 'structure', 'team', 'signer', 'signature', 'signer-full', 'reply-gone', 'error'] as const),
] as const;

export type DropReason = (typeof DROP_REASONS)[number];
