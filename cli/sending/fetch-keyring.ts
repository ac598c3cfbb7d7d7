import type { ServedKeyring } from '../keys/newer-keyring.ts';
import type { Io } from '../terminal/io.ts';
import type { RelayAddress } from './relay-address.ts';
import { Visit } from './visit.ts';

/** The keyring that a relay serves, by a visit that hands in nothing; null where it has none. Ctrl-C ends it. Throws RelayAway. */
export function fetchKeyring(relay: RelayAddress, io: Pick<Io, 'stoppable'>): Promise<ServedKeyring | null> {
  return io.stoppable(async (stop) => {
    const visit = new Visit(relay, { stop });
    try {
      return (await visit.enter()).keyring;
    } finally {
      visit.leave();
    }
  });
}
