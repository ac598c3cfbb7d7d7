// Sealed parcels on disk, to be sent later.
import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { shuffled } from '../../crypto/bytes.ts';
import { encodeParcelText } from '../../crypto/parcel-text.ts';
import { stampParcel } from '../../crypto/stamp.ts';
import { reason, writeNewFiles } from '../files.ts';
import type { Io } from '../terminal/io.ts';
import { visibleLine } from '../terminal/terminal.ts';

/**
 * What a door asks under normal load, and the default of `seal`. `send` and `operator ingest` stamp again
 * for what the door asks then.
 */
const WRITTEN_DIFFICULTY = 10;
const NAME = /^(\d+)\.txt$/;

/**
 * Writes parcels as text, readable by their owner alone, under names that say nothing: numbers above the highest that is
 * there, in random order. If it breaks off, a parcel is there only if those before it are. @returns the file of each parcel
 */
export async function writeParcels(directory: string, parcels: readonly Uint8Array[]): Promise<string[]> {
  const taken = (await readdir(directory).catch(() => [])).map((name) => Number(NAME.exec(name)?.[1] ?? 0));
  const first = Math.max(0, ...taken) + 1;
  const numbers = shuffled(parcels.map((_, index) => first + index));
  const files = parcels.map((parcel, index) => ({
    path: join(directory, `${String(numbers[index]).padStart(2, '0')}.txt`),
    content: `${encodeParcelText(stampParcel(parcel, WRITTEN_DIFFICULTY))}\n`,
    secret: true,
  }));
  await writeNewFiles(files);
  return files.map(({ path }) => path);
}

/** Removes the file of an accepted parcel. When that fails nothing stops: sending it again is harmless. */
export async function removeSent(file: string, io: Io): Promise<void> {
  try {
    await unlink(file);
  } catch (error) {
    io.err(`${visibleLine(file)} was accepted and cannot be removed: ${reason(error)}; delete it yourself\n`);
  }
}
