import { setTimeout as sleep } from 'node:timers/promises';
import type { Tor } from './tor.ts';

const LOOK_MS = 100;
/** A circuit may be replaced at any time, but hardly in each of this many rounds. */
const MOST_ROUNDS = 10;
/** As tor counts them: a cell without circuit id and command (tor-spec, § Cell packet format). */
const CELL_PAYLOAD_BYTES = 509;

export type Cells = { readonly up: number; readonly down: number };

/**
 * Does the work piece by piece, each with one stream on its own circuit, and counts the cells of each piece's circuit
 * meanwhile. Since building a circuit would be counted too, all is repeated until every circuit existed before.
 */
export async function countCells(tor: Tor, pieces: readonly (() => Promise<void>)[]): Promise<Cells[]> {
  await tor.client.command('SETEVENTS STREAM CIRC_BW BW');
  try {
    for (const piece of pieces) await piece();
    for (let round = 1; round <= MOST_ROUNDS; round += 1) {
      const built = await circuitsBuilt(tor);
      // Discards the cells from before.
      await eventsUntilReported(tor);
      for (const piece of pieces) await piece();
      const events = await eventsUntilReported(tor);
      const circuits = events.flatMap((line) => /^650 STREAM \d+ SUCCEEDED (\d+) /.exec(line)?.[1] ?? []);
      if (circuits.every((circuit) => built.has(circuit))) return circuits.map((circuit) => cellsOf(circuit, events));
    }
    throw new Error(`in each of ${String(MOST_ROUNDS)} rounds a circuit was replaced`);
  } finally {
    await tor.client.command('SETEVENTS');
  }
}

async function circuitsBuilt({ client }: Tor): Promise<ReadonlySet<string>> {
  const lines = await client.command('GETINFO circuit-status');
  return new Set(lines.flatMap((line) => /^(?:250[+-]circuit-status=)?(\d+) BUILT /.exec(line)?.[1] ?? []));
}

/** tor reports once a second, circuits after totals, so the second report from now covers everything until now. */
async function eventsUntilReported({ client }: Tor): Promise<string[]> {
  const events = client.takeEvents();
  const reported = (): number => events.filter((line) => line.startsWith('650 BW ')).length;
  const enough = reported() + 2;
  while (reported() < enough) {
    await sleep(LOOK_MS);
    events.push(...client.takeEvents());
  }
  return events;
}

function cellsOf(circuit: string, events: readonly string[]): Cells {
  const own = events.flatMap((line) => {
    const [, id, read, written] = /^650 CIRC_BW ID=(\d+) READ=(\d+) WRITTEN=(\d+) /.exec(line) ?? [];
    return id === circuit ? [{ down: Number(read), up: Number(written) }] : [];
  });
  const cells = (way: keyof Cells): number => own.reduce((total, report) => total + report[way], 0) / CELL_PAYLOAD_BYTES;
  return { up: cells('up'), down: cells('down') };
}
