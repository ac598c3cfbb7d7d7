/** What follows from a drop reason. */
type Drop = {
  /** True when something may be wrong here: operators are warned for a day. Other drops are a sender's doing, or no loss. */
  readonly alarming: boolean;
} & (
  | {
      readonly by: 'worker';
      /**
       * How long such a parcel first goes back into the pool: for a while, or also for as long as the worker lacks a key that may
       * open it (worker/undecided.ts). Null: it is dropped at once.
       */
      readonly retry: 'for a while' | 'while a key is missing' | null;
    }
  /** worker/lua/commit.lua decides, which sees what is in Redis when a round is written: too late for another try. */
  | { readonly by: 'script'; readonly retry: null }
);

/** Why parcels are dropped. Operators see a count under each of these names (docs/operations.md). */
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
