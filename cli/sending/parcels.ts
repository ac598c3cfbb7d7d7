// Finds sealed parcels in whatever somebody was given: a saved text, a mail, a chat, or the parcels' own bytes.
import { CodedError } from '../../crypto/errors.ts';
import { PARCEL_BYTES, PARCEL_VERSION, parseParcel } from '../../crypto/parcel.ts';
import { decodeParcelText, PARCEL_TEXT_CHARACTERS } from '../../crypto/parcel-text.ts';
import { readUint32, toHex } from '../../crypto/bytes.ts';
import { textOf } from '../../crypto/text-file.ts';
import { CliError } from '../errors.ts';
import { formsOf, partsOfMail } from './text-forms.ts';

export type FoundParcel = { readonly parcel: Uint8Array } | { readonly problem: Error };

/** How every parcel begins: its version, and a serial below 2^28. */
const START = /^AAAAAQ/;
/** Fewer characters than this are taken for the text around a parcel. */
const NOTABLE_CHARACTERS = 1_000;
/**
 * Shorter runs are taken for names, numbers and other text between the pieces of a parcel. The first limit takes every run,
 * for parcels in narrow lines.
 */
const SHORTEST_RUNS = [1, 40, 200, 1_000] as const;
/** How many hyphens a long and a shorter dash may stand for: programs differ, and the parcel's check tells which is right. */
const DASHES = [
  ['--', '-'],
  ['--', '--'],
  ['-', '-'],
  ['---', '--'],
  ['-', '--'],
] as const;
const DASH = /[\u2013-\u2015]/;

/**
 * The parcels in a source. A source that cannot be read is a problem like a damaged parcel: the others
 * are handed in all the same.
 */
export async function parcelsFrom(source: string, read: () => Promise<Uint8Array>): Promise<FoundParcel[]> {
  try {
    const found = await parcelsIn(await read());
    return found.length > 0 ? found : [{ problem: noParcelIn(source) }];
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return [{ problem: error }];
  }
}

function noParcelIn(source: string): CliError {
  const advice = 'give the whole text, from its first character to its last';
  return new CliError('INPUT_FORMAT', `there is no sealed parcel in ${source}`, advice);
}

/** The parcels in `bytes`, and what is wrong with each piece that looks like one and is not. */
export async function parcelsIn(bytes: Uint8Array): Promise<FoundParcel[]> {
  if (isBinary(bytes)) return inBytes(bytes);
  const text = textOf(bytes, 'lenient');
  const parts = await partsOfMail(bytes, text);
  const inParts = parts.map((part) => (isBinary(part) ? inBytes(part) : inText(textOf(part, 'lenient'))));
  const bestPart = best(inParts);
  // A mail often holds the same text twice, as text and as HTML.
  return isGood(bestPart) ? withoutCopies(inParts.filter(isGood).flat()) : best([bestPart, inText(text)]);
}

function isBinary(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && readUint32(bytes, 0) === PARCEL_VERSION;
}

function inBytes(bytes: Uint8Array): FoundParcel[] {
  const found: FoundParcel[] = [];
  for (let at = 0; at < bytes.length; at += PARCEL_BYTES) found.push(checked(() => bytes.slice(at, at + PARCEL_BYTES)));
  return found;
}

/** The reading of a text that finds the most in it. */
function inText(text: string): FoundParcel[] {
  const readings: FoundParcel[][] = [];
  for (const form of formsOf(text)) {
    for (const [long, short] of DASH.test(form) ? DASHES : DASHES.slice(0, 1)) {
      const dashless = form.replace(/[\u2014\u2015]/g, long).replace(/\u2013/g, short);
      const runs = dashless.match(/[A-Za-z0-9_-]+/g) ?? [];
      for (const least of SHORTEST_RUNS) {
        const found = scan(runs, least);
        if (isGood(found)) return found;
        readings.push(found);
      }
    }
  }
  return best(readings);
}

const goodIn = (found: readonly FoundParcel[]): number => found.filter((each) => 'parcel' in each).length;
const isGood = (found: readonly FoundParcel[]): boolean => found.length > 0 && goodIn(found) === found.length;

/**
 * The reading with the most parcels; of these, the one with the fewest problems, though one problem is better than nothing at
 * all; of these, the last, which leaves out the most.
 */
function best(readings: readonly FoundParcel[][]): FoundParcel[] {
  const penalty = (found: readonly FoundParcel[]): number => (found.length === 0 ? 100_000 : found.length);
  const rank = (found: readonly FoundParcel[]): number => goodIn(found) * 1_000_000 - penalty(found);
  return readings.reduce<FoundParcel[]>((chosen, found) => (rank(found) >= rank(chosen) ? found : chosen), []);
}

function withoutCopies(found: readonly FoundParcel[]): FoundParcel[] {
  const byId = new Map<string, FoundParcel>();
  for (const each of found) {
    const id = 'parcel' in each ? toHex(parseParcel(each.parcel).id) : '';
    if (!byId.has(id)) byId.set(id, each);
  }
  return [...byId.values()];
}

/** Puts runs of base64url together, from one that begins as a parcel does until they are long enough for one. */
function scan(runs: readonly string[], least: number): FoundParcel[] {
  const found: FoundParcel[] = [];
  let held = '';
  let stray = 0;
  const end = (): void => {
    if (held.length + stray >= NOTABLE_CHARACTERS) found.push({ problem: problemOf(held.length, stray) });
    held = '';
    stray = 0;
  };
  for (const run of runs) {
    if (START.test(run) && held !== '') end();
    else if (run.length < least && held.length + run.length !== PARCEL_TEXT_CHARACTERS) continue;
    if (held === '' && !START.test(run)) {
      if (run.length >= NOTABLE_CHARACTERS || least > 1) stray += run.length;
      continue;
    }
    held += run;
    while (held.length >= PARCEL_TEXT_CHARACTERS) {
      const whole = held.slice(0, PARCEL_TEXT_CHARACTERS);
      held = held.slice(PARCEL_TEXT_CHARACTERS);
      found.push(checked(() => decodeParcelText(whole)));
      // Another parcel may follow with nothing between.
      if (!START.test(held)) held = '';
    }
  }
  end();
  return found;
}

/** @param held characters of a parcel that breaks off @param stray characters before which no parcel has begun */
function problemOf(held: number, stray: number): CodedError {
  if (held + stray >= PARCEL_TEXT_CHARACTERS) {
    return new CodedError('PARCEL_CHECK', 'something in it was changed on its way, or its pieces are out of order');
  }
  return new CodedError('PARCEL_TEXT', `${String(held + stray)} characters, expected ${String(PARCEL_TEXT_CHARACTERS)}`);
}

function checked(read: () => Uint8Array): FoundParcel {
  try {
    const parcel = read();
    parseParcel(parcel);
    return { parcel };
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return { problem: error };
  }
}
