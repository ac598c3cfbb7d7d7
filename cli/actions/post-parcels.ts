// What becomes of parcels that are sealed: they are sent, or written down to be sent later.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Result } from '../../crypto/answer.ts';
import { shuffled } from '../../crypto/bytes.ts';
import { CodedError } from '../../crypto/errors.ts';
import { encodeParcelText } from '../../crypto/parcel-text.ts';
import { stampParcel } from '../../crypto/stamp.ts';
import { CliError, EXIT } from '../errors.ts';
import { writeNewFiles } from '../files.ts';
import type { Io } from '../io.ts';
import { parcelsIn, type Found } from '../parcels.ts';
import { visibleLine } from '../terminal.ts';
import { askDifficulty, handInStamped, type RelayAddress } from './hand-in.ts';

/** What the relay said, in words, what to do then, and whether the same parcel may be taken at another time. */
const MEANING: Record<Result, { text: string; then?: string; exitCode: number }> = {
  accepted: { text: 'accepted, or accepted before', exitCode: EXIT.ok },
  version: { text: 'refused: of another version of the protocol', exitCode: EXIT.input },
  sealed: { text: 'refused: damaged', exitCode: EXIT.input },
  serial: { text: 'refused: sealed under a keyring that is no longer, or not yet, in use', exitCode: EXIT.input },
  stamp: { text: 'not now: the relay asks for an ever dearer stamp', then: 'run this again later', exitCode: EXIT.unavailable },
  full: { text: 'not now: the pool is full', then: 'run this again later', exitCode: EXIT.unavailable },
  away: { text: 'not now: the relay cannot store', then: 'run this again', exitCode: EXIT.unavailable },
  closed: { text: 'not now: the door is closed', then: 'run this again when it is open', exitCode: EXIT.unavailable },
};

export function meaningOf(result: Result): { text: string; exitCode: number } {
  const { text, then, exitCode } = MEANING[result];
  return { text: then === undefined ? text : `${text}; ${then}`, exitCode };
}

/** The parcels in a source. What cannot be read is a problem of its own: those after it are handed in all the same. */
export async function foundIn(source: string, read: () => Promise<Uint8Array>): Promise<Found[]> {
  try {
    const found = parcelsIn(await read());
    if (found.length > 0) return found;
    return [{ problem: new CliError('INPUT_FORMAT', `there is no sealed parcel in ${source}`, 'give the whole text, from its first character to its last') }];
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return [{ problem: error }];
  }
}

const TRIES = 5;
const WAIT_SECONDS = [10, 60] as const;

type Named = { readonly name: string; readonly parcel: Uint8Array };
type Attempt = { text: string; exitCode: number; retryAfterSeconds: number };

/**
 * Sends parcels one after the other, each over a connection of its own, and waits a little when the relay takes nothing now;
 * `tell` hears what became of each. @param needed each makes sense only when those before it were accepted
 * @returns those that were not taken, and the exit code
 */
export async function postParcels(
  parcels: readonly Named[], address: RelayAddress, io: Io, tell: (name: string, text: string) => void, needed = false,
): Promise<{ left: Named[]; exitCode: number }> {
  const waiting = [...parcels];
  const refused: Named[] = [];
  let tries = 0;
  let difficulty: number | null = null;
  for (let next = waiting[0]; next !== undefined; [next] = waiting) {
    const attempt: Attempt = await attemptWith(async () => {
      difficulty ??= await askDifficulty(address);
      return difficulty;
    }, next.parcel, address);
    if (attempt.exitCode !== EXIT.unavailable) {
      tell(next.name, attempt.text);
      if (attempt.exitCode !== EXIT.ok && needed) return { left: waiting, exitCode: attempt.exitCode };
      if (attempt.exitCode !== EXIT.ok) refused.push(next);
      waiting.shift();
      tries = 0;
      continue;
    }
    tries += 1;
    if (tries >= TRIES || !(await waitFor(attempt, io))) {
      for (const { name } of waiting) tell(name, attempt.text);
      return { left: [...waiting, ...refused], exitCode: EXIT.unavailable };
    }
  }
  return { left: refused, exitCode: refused.length > 0 ? EXIT.input : EXIT.ok };
}

async function attemptWith(difficulty: () => Promise<number>, parcel: Uint8Array, address: RelayAddress): Promise<Attempt> {
  try {
    const { result, retryAfterSeconds } = await handInStamped(stampParcel(parcel, await difficulty()), address);
    return { text: MEANING[result].text, exitCode: MEANING[result].exitCode, retryAfterSeconds };
  } catch (error) {
    const isAway = (error instanceof CliError && error.code === 'RELAY_AWAY') || (error instanceof CodedError && error.code === 'ANSWER_FORMAT');
    if (!isAway) throw error;
    return { text: `not now: ${error.message}`, exitCode: EXIT.unavailable, retryAfterSeconds: 0 };
  }
}

async function waitFor({ text, retryAfterSeconds }: Attempt, io: Io): Promise<boolean> {
  const seconds = Math.min(Math.max(retryAfterSeconds, WAIT_SECONDS[0]), WAIT_SECONDS[1]);
  io.err(`${visibleLine(text)}; trying again in ${String(seconds)} seconds (Ctrl-C stops)\n`);
  return io.pause(seconds * 1000);
}

/** What the offline form pays too: enough for a relay that is not pressed; whoever hands them in can pay more. */
const WRITTEN_DIFFICULTY = 10;
const NAME = /^(\d+)\.txt$/;

/**
 * Writes parcels as text, readable by their owner alone, in random order and under names that say nothing: 01.txt, or
 * after the last number that is there. @returns the files
 */
export async function writeParcels(directory: string, parcels: readonly Uint8Array[]): Promise<string[]> {
  const taken = (await readdir(directory).catch(() => [])).map((name) => Number(NAME.exec(name)?.[1] ?? 0));
  const first = Math.max(0, ...taken) + 1;
  const files = shuffled(parcels).map((parcel, index) => ({
    path: join(directory, `${String(first + index).padStart(2, '0')}.txt`),
    content: `${encodeParcelText(stampParcel(parcel, WRITTEN_DIFFICULTY))}\n`,
    secret: true,
  }));
  await writeNewFiles(files);
  return files.map(({ path }) => path);
}
