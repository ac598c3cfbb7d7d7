import type { AlarmingDrop } from '../../redis/drops.ts';
import type { Attention } from './attention.ts';

const DROPS: Record<AlarmingDrop, Omit<Attention, 'what'> & { kind: string }> = {
  damaged: {
    code: 'PARCELS_DAMAGED',
    kind: 'damaged',
    advice: 'the relay accepts only intact ones: find out who else can write to Redis, and whether its disk and memory are sound',
  },
  unopenable: {
    code: 'PARCELS_UNOPENABLE',
    kind: 'opened by no key of this worker',
    advice: "compare the worker's keyrings and keys with the relay's; if they agree, somebody sealed to a key of their own",
  },
  error: {
    code: 'PARCELS_FAILED',
    kind: 'too much for the worker',
    advice: "report it with the code of the worker's log (parcel-error): they may have been requests",
  },
};

export function ofDrops(drops: readonly AlarmingDrop[]): Attention[] {
  return drops.map((drop) => {
    const { code, kind, advice } = DROPS[drop];
    return { code, what: `parcels were dropped within the last day because they were ${kind}`, advice };
  });
}
