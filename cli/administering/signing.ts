// Signing weeks: what it does is said first, then the passphrase is asked, once.
import { join } from 'node:path';
import { GRACE_MS } from '../../crypto/keyring.ts';
import type { SigningKey } from '../../crypto/minisign.ts';
import { instantOf } from '../../volunteer/keys/season.ts';
import { CliError } from '../errors.ts';
import { SERIAL_MAX, signKeyring, type HeldKeyring } from '../keys/keyring.ts';
import { readRootKey } from '../keys/root-key.ts';
import type { Io } from '../terminal/io.ts';
import { existingPassphrase } from '../terminal/passphrase.ts';
import { visibleJson, visibleLine } from '../terminal/terminal.ts';
import { insistOnYes } from './consent.ts';
import { commit, insistOnRootKey, insistOnUnchanged, KEYRINGS, ROOT_KEY, storeKeyring, type Folder } from './folder.ts';
import { checkOut, OUT, writeOut } from './out.ts';
import type { Due } from './plan.ts';
import { reportLines, reportOf } from './report.ts';
import { lastSigning } from './weeks.ts';

export type SigningOptions = {
  readonly out?: string | undefined;
  /** The serials are to be above this one; absent: above the last. */
  readonly above?: number;
  readonly 'passphrase-file'?: string | undefined;
  readonly yes?: boolean | undefined;
  readonly json?: boolean | undefined;
};

/** What else is done, once the passphrase was right and before the first keyring is signed. */
export type Alongside = {
  readonly question: string;
  /** Writes it, and returns the folder as it is then. */
  readonly write: () => Promise<Folder>;
};

export const SIGNING_OPTIONS = {
  folder: { type: 'string' },
  out: { type: 'string' },
  'passphrase-file': { type: 'string' },
  yes: { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

export const SIGNING_HELP = `  --folder DIR            the administrator's folder; the current directory if left out
  --out DIR               where to put relay/, worker/ and volunteers/; out/ in the folder if left out
  --passphrase-file FILE  for scripts: the root key's passphrase is the first line of FILE
  --yes                   for scripts: do it without asking
  --json                  one line of JSON: today, keyrings, before, stays, changes, newWorkerFrom, newRelease, voided,
                          coveredUntil, lacking, out, inOut (the serials in it)`;

const GRACE_HOURS = String(GRACE_MS / 3_600_000);

/** Now (Unix time, ms), to the second: keyrings have no finer time. */
export const secondOf = (io: Pick<Io, 'now'>): number => Math.floor(io.now().getTime() / 1000) * 1000;

/**
 * Says what signing these weeks does, asks, signs, and fills out/; with no weeks it only fills out/. `folder`: as it will be when
 * `alongside` is written. `now`: Unix time, ms. Throws CLOCK_BEHIND, NOT_CONFIRMED, CONFIRMATION_UNASKABLE, PASSPHRASE_*,
 * FOLDER_DIVERGED, FOLDER_CHANGED, FOLDER_DAMAGED when root.key is of another root, OUTPUT_FAILED.
 */
export async function signWeeks(
  folder: Folder,
  dues: readonly Due[],
  now: number,
  options: SigningOptions,
  io: Io,
  alongside?: Alongside,
): Promise<void> {
  const out = options.out ?? join(folder.dir, OUT);
  await checkOut(folder, out);
  const signedAt = lastSigning(folder.keyrings);
  if (dues.length > 0 && now < signedAt) {
    const what = `this computer's clock says ${instantOf(now)}, and a keyring was signed at ${instantOf(signedAt)}`;
    throw new CliError('CLOCK_BEHIND', what, 'set the clock and run this again; nothing was signed');
  }
  const report = reportOf(folder, dues, now, options.above);
  io.err(`${reportLines(report).join('\n')}\n`);
  let signed = folder;
  if (dues.length > 0 || alongside !== undefined) {
    await insistOnYes(alongside?.question ?? 'Sign this?', options.yes === true, io);
    const rootKey = await openRootKey(folder, options['passphrase-file'], io);
    signed = await signAll((await alongside?.write()) ?? folder, dues, rootKey, options.above);
  }
  const inOut = await writeOut(signed, out, now);
  if (options.json === true) io.out(`${visibleJson({ ...report, out, inOut })}\n`);
  else for (const line of copyLines(out, inOut, report.voided.length > 0)) io.err(`${line}\n`);
}

function copyLines(out: string, serials: readonly number[], replaces: boolean): string[] {
  if (serials.length === 0) return [];
  return [
    `In ${visibleLine(out)} lies what has to be copied, keyring ${serials.map(String).join(', ')}:`,
    "  worker/      into the worker's folder of keyrings, first",
    "  relay/       into the relay's folder of keyrings, then",
    '  volunteers/  to every volunteer, into their folder of keys',
    ...(replaces
      ? [
          'Until relay and worker have them, the old keyrings count. After that, pages that were opened before may still send under',
          `the old one for ${GRACE_HOURS} hours, to the keys that are in it.`,
        ]
      : []),
  ];
}

async function signAll(folder: Folder, dues: readonly Due[], rootKey: SigningKey, above = 0): Promise<Folder> {
  if (dues.length === 0) return folder;
  // Somebody may have signed in another window while this one waited for the passphrase: those keyrings must not be written over.
  await insistOnUnchanged(folder);
  const keyrings = [...folder.keyrings];
  for (const { from, until, content } of dues) {
    const last = keyrings.at(-1);
    const serial = Math.max(above, last?.keyring.serial ?? 0) + 1;
    if (serial > SERIAL_MAX)
      throw new CliError('SERIAL_NOT_RISING', `there is no serial after ${String(SERIAL_MAX)}`, 'make a new root key');
    const dates = { notBefore: instantOf(from), notAfter: instantOf(until) };
    const signed: HeldKeyring = signKeyring({ version: 1, serial, ...dates, previous: last?.digest ?? null, ...content }, rootKey);
    await storeKeyring(join(folder.dir, KEYRINGS), signed);
    keyrings.push(signed);
  }
  const state = await commit(folder, { keyrings: keyrings.map(({ keyring, digest }) => ({ serial: keyring.serial, digest })) });
  return { ...folder, state, keyrings };
}

/** Throws PASSPHRASE_*, INPUT_*, and FOLDER_DAMAGED when the secret key is not that of root.pub. */
async function openRootKey(folder: Folder, passphraseFile: string | undefined, io: Io): Promise<SigningKey> {
  const path = join(folder.dir, ROOT_KEY);
  const key = await readRootKey(path, () => existingPassphrase(io, path, passphraseFile), io);
  insistOnRootKey(folder, key);
  return key;
}
