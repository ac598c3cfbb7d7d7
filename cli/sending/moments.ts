// The moments at which parcels are handed in, drawn as the page draws its slots (docs/decisions/003-slots.md).
import { drawSlot } from '../../web/page/moments.ts';
import type { Io } from '../terminal/io.ts';

/** The page's default, which operators can change for the page. */
const MEAN_MS = 20_000;

export const AT_ONCE_OPTION = { 'at-once': { type: 'boolean' } } as const;

/** Waits for the next moment. @returns false when the person wants to stop */
export type Moments = () => Promise<boolean>;

export function momentsOf(io: Io, isAtOnce: boolean): Moments {
  return async () => isAtOnce || io.pause(drawSlot(1, MEAN_MS).ms, 'moment');
}

/** Says why nothing seems to happen for a while. */
export function tellSending({ atOnce }: { atOnce: boolean }, io: Io): void {
  io.err('Sending (Ctrl-C stops) …\n');
  if (atOnce) return;
  io.err(
    'So that nobody can tell this from a visit to the page, each sealed letter waits for a moment of its own, a minute at most. ' +
      'Please leave this running.\n',
  );
}
