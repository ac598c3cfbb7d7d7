import { setTimeout as sleep } from 'node:timers/promises';
import type { Tor } from './tor.ts';

/** tor reports what went over its circuits once a second. */
const REPORT_MS = 1_000;
/** As tor counts them: a cell without the number of its circuit and its kind (tor-spec, § Cell packet format). */
const CELL_PAYLOAD_BYTES = 509;

export type Cells = { readonly up: number; readonly down: number };

/** Does the work piece by piece, each with one stream on a circuit of its own. @returns the cells of each piece's circuit meanwhile */
export async function countCells({ client }: Tor, pieces: readonly (() => Promise<void>)[]): Promise<Cells[]> {
  await client.command('SETEVENTS STREAM CIRC_BW');
  // What was before belongs to nobody here.
  await sleep(2 * REPORT_MS);
  client.takeEvents();
  for (const piece of pieces) await piece();
  await sleep(2 * REPORT_MS);
  const events = client.takeEvents();
  await client.command('SETEVENTS');
  const circuits = events.flatMap((line) => /^650 STREAM \d+ SUCCEEDED (\d+) /.exec(line)?.[1] ?? []);
  const reports = events.flatMap((line) => {
    const [, circuit, read, written] = /^650 CIRC_BW ID=(\d+) READ=(\d+) WRITTEN=(\d+) /.exec(line) ?? [];
    return circuit === undefined ? [] : [{ circuit, down: Number(read), up: Number(written) }];
  });
  return circuits.map((circuit) => {
    const own = reports.filter((report) => report.circuit === circuit);
    const cells = (way: keyof Cells): number => own.reduce((total, report) => total + report[way], 0) / CELL_PAYLOAD_BYTES;
    return { up: cells('up'), down: cells('down') };
  });
}
