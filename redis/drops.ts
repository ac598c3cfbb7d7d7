/** What follows from a reason for which a parcel is dropped. */
type Drop = {
  /** Something may be wrong here, and operators are warned for a day. The other drops are a sender's doing, or no loss. */
  readonly alarming: boolean;
} & (
  | {
      readonly by: 'worker';
      /**
       * Such a parcel goes back into the pool first, for a while, or also for as long as the worker lacks a key that may open it
       * (worker/undecided.ts). Null: it is dropped at once.
       */
      readonly retry: 'for a while' | 'while a key is missing' | null;
    }
  /** worker/lua/commit.lua decides it, which sees what stands in Redis when a round is written: too late for another try. */
  | { readonly by: 'script'; readonly retry: null }
);

/** Why a parcel was dropped. Operators see each counted under this name (docs/operations.md). */
export const DROP_REASONS = {
  decoy: { by: 'worker', retry: null, alarming: false },
  replay: { by: 'script', retry: null, alarming: false },
  'reply-gone': { by: 'worker', retry: null, alarming: false },
  damaged: { by: 'worker', retry: null, alarming: true },
  unopenable: { by: 'worker', retry: 'while a key is missing', alarming: true },
  format: { by: 'worker', retry: null, alarming: false },
  structure: { by: 'worker', retry: null, alarming: false },
  team: { by: 'worker', retry: null, alarming: false },
  signer: { by: 'worker', retry: null, alarming: false },
  signature: { by: 'worker', retry: null, alarming: false },
  'mailbox-full': { by: 'script', retry: null, alarming: false },
  'signer-full': { by: 'worker', retry: null, alarming: false },
  error: { by: 'worker', retry: 'for a while', alarming: true },
} as const satisfies Record<string, Drop>;

export type DropReason = keyof typeof DROP_REASONS;

type With<Property extends Partial<Drop>> = {
  [Reason in DropReason]: (typeof DROP_REASONS)[Reason] extends Property ? Reason : never;
}[DropReason];

export type WorkerDrop = With<{ readonly by: 'worker' }>;
export type AlarmingDrop = With<{ readonly alarming: true }>;

const isAlarming = (reason: DropReason): reason is AlarmingDrop => DROP_REASONS[reason].alarming;
export const ALARMING_DROPS = (Object.keys(DROP_REASONS) as DropReason[]).filter(isAlarming);
