// Sealed parcels on disk, to be sent later.
import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { shuffled } from '../../crypto/bytes.ts';
import { encodeParcelText } from '../../crypto/parcel-text.ts';
import { stampParcel } from '../../crypto/stamp.ts';
import { reason, writeNewFiles } from '../files.ts';
import type { Io } from '../terminal/io.ts';
import { visibleLine } from '../terminal/terminal.ts';

/** What a door asks when nothing presses it, as with `seal`. What the door asks then, `send` and `operator ingest` stamp anew. */
const WRITTEN_DIFFICULTY = 10;
const NAME = /^(\d+)\.txt$/;

/**
 * Writes parcels as text, readable by their owner alone, under names that say nothing: numbers after the last one that is
 * there, in random order. Whatever breaks off, none is there before those that come before it. @returns the file of each parcel
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

/** Removes what was accepted. That it cannot is no reason to stop: sending it again is harmless. */
export async function removeSent(file: string, io: Io): Promise<void> {
  try {
    await unlink(file);
  } catch (error) {
    io.err(`${visibleLine(file)} was accepted and cannot be removed: ${reason(error)}; delete it yourself\n`);
  }
}
