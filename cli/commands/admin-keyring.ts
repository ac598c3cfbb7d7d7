import { join } from 'node:path';
import { createKeyring, readKeyring, SERIAL_MAX } from '../keys/keyring.ts';
import { readRootKey } from '../keys/root-key.ts';
import { checkRecipient } from '../../crypto/age/age.ts';
import type { Keyring } from '../../crypto/keyring.ts';
import { ready } from '../../crypto/sodium.ts';
import { defineCommand, required, wholeNumber } from '../command.ts';
import { EXIT, UsageError } from '../errors.ts';
import { insistOnNew, readInputText } from '../files.ts';
import { describeKeyring, keyringSummary, signerWarnings } from '../keys/keyring-view.ts';
import { existingPassphrase } from '../terminal/passphrase.ts';
import { readTeams } from '../keys/teams.ts';
import { visibleJson, visibleLine } from '../terminal/terminal.ts';

const NAME = 'admin keyring';
const WEEK_DAYS = 7;
const DAY_MS = 24 * 60 * 60 * 1000;

export const adminKeyring = defineCommand({
  name: NAME,
  summary: "Make and sign a week's keyring: who can read requests",
  usage: '--root-key FILE --teams FILE --worker RECIPIENT\n         (--serial N | --previous FILE) --out DIR [options]',
  examples: [
    `support-relay admin keyring --root-key root.key --teams teams.json --worker worker-12.pub --serial 12 \\
    --from 2026-03-16 --previous keyring-11.json --out .`,
  ],
  details: `
Writes DIR/keyring-N.json and DIR/keyring-N.json.minisig and shows what they say, so that you can compare the
fingerprints with the volunteers by voice before you hand the files to the operator. Nothing is overwritten.

  --root-key FILE         the secret root key (root.key); its passphrase is asked
  --teams FILE            the teams, as JSON; see below
  --worker RECIPIENT      the worker's recipient for this serial: age1pq1…, or the name of a file that holds it
  --serial N              number of the keyring; must rise with every keyring, also within a week. If left out, it is one
                          more than the previous keyring's, and the keyring begins when that one ends
  --from DATE             first day or moment, UTC: 2026-03-02 or 2026-03-02T12:00:00Z; today if left out
                          and --serial is given
  --days N                how many days it is valid; 7 if left out
  --previous FILE         the keyring before this one: it is verified, its digest goes in, and revoked signers are named
  --out DIR               where to put the two files
  --passphrase-file FILE  for scripts: the root key's passphrase is the first line of FILE
  --json                  one line of JSON instead of the summary

The teams file is a list of teams, or {"answerTime": {"ru": "…", "en": "…"}, "teams": [...]}:

  [{ "id": "16 hex digits that say nothing about the team",
     "names": { "ru": "Психологи", "en": "Psychologists" },
     "topics": [{ "id": "psychological", "names": { "ru": "Психологическая помощь", "en": "Psychological help" } }],
     "recipients": ["age1pq1…", "… up to eight, one for each volunteer"],
     "signers": ["64 digits, as keygen --signer prints them", "… up to sixteen: whoever may answer"] }]

A signer of the previous keyring that is left out is revoked, and the command says so.`,
  options: {
    'root-key': { type: 'string' },
    teams: { type: 'string' },
    worker: { type: 'string' },
    serial: { type: 'string' },
    from: { type: 'string' },
    days: { type: 'string', default: String(WEEK_DAYS) },
    previous: { type: 'string' },
    out: { type: 'string' },
    'passphrase-file': { type: 'string' },
    json: { type: 'boolean' },
  },
  run: async (values, _positionals, io) => {
    const rootKeyFile = required(values['root-key'], 'root-key', NAME);
    const directory = required(values.out, 'out', NAME);
    const givenSerial = values.serial === undefined ? undefined : wholeNumber(values.serial, 'serial', [1, SERIAL_MAX], NAME);
    if (givenSerial === undefined && values.previous === undefined) {
      throw new UsageError('--serial is missing; with --previous it is one more', NAME);
    }
    const days = wholeNumber(values.days, 'days', [1, 366], NAME);
    const givenFrom = values.from === undefined ? undefined : dateFrom(values.from);
    if (givenFrom !== undefined) insistOnFuture(givenFrom, days, io.now());
    if (givenSerial !== undefined) await insistOnNew(filesOf(directory, givenSerial));
    // Everything else is checked before the passphrase is asked: typing it takes patience.
    const { teams, answerTime } = await readTeams(required(values.teams, 'teams', NAME));
    const worker = await recipientFrom(required(values.worker, 'worker', NAME));
    const rootKey = await readRootKey(rootKeyFile, () => existingPassphrase(io, rootKeyFile, values['passphrase-file']), io);
    const previous = values.previous === undefined ? undefined : await readKeyring(values.previous, rootKey);

    const serial = givenSerial ?? (previous?.keyring.serial ?? 0) + 1;
    // Without a serial it follows the previous keyring, in time as well; with one it may replace it from today on.
    const next = givenSerial === undefined && previous !== undefined ? new Date(previous.keyring.notAfter) : startOfDay(io.now());
    const from = givenFrom ?? next;
    insistOnFuture(from, days, io.now());

    const made = await createKeyring(
      {
        serial,
        from,
        days,
        worker,
        teams,
        ...(answerTime === undefined ? {} : { answerTime }),
        ...(previous === undefined ? {} : { previous }),
      },
      rootKey,
      directory,
    );
    if (days > WEEK_DAYS) io.err('It is valid for longer than a week: a key that is seized opens the letters of all that time.\n');
    for (const warning of signerWarnings(made.keyring, previous?.keyring)) io.err(`${warning}\n`);
    const voided = previous === undefined ? null : voidedBy(made.keyring, previous.keyring);
    if (voided !== null) io.err(`${voided}\n`);
    if (values.json === true) {
      io.out(`${visibleJson({ file: made.file, signatureFile: made.signatureFile, ...keyringSummary(made, rootKey, io.now()) })}\n`);
    } else {
      io.out(describeKeyring(made, rootKey, io.now()));
      io.err(`Written: ${visibleLine(made.file)} and ${visibleLine(made.signatureFile)}\n`);
    }
    return EXIT.ok;
  },
});

function filesOf(directory: string, serial: number): string[] {
  const file = join(directory, `keyring-${String(serial)}.json`);
  return [file, `${file}.minisig`];
}

function insistOnFuture(from: Date, days: number, now: Date): void {
  const end = from.getTime() + days * DAY_MS;
  if (end > now.getTime()) return;
  const day = new Date(end).toISOString().slice(0, 10);
  const what = `this keyring would already have ended, on ${day}`;
  throw new UsageError(`${what}: give a later --from or more --days (or set this computer's clock)`, NAME);
}

/**
 * What the administrator should know when the previous keyring would last longer: the highest serial
 * counts, whichever begins later.
 */
function voidedBy(made: Keyring, { serial, notBefore, notAfter }: Keyring): string | null {
  if (Date.parse(notAfter) <= Date.parse(made.notAfter)) return null;
  return (
    `Keyring ${String(serial)} (${notBefore.slice(0, 10)} to ${notAfter.slice(0, 10)}) no longer counts once this one is in place: ` +
    `sign its time again with serial ${String(made.serial + 1)}.`
  );
}

/** The recipient that `value` is, or that is on the first line of the file that it names. */
async function recipientFrom(value: string): Promise<string> {
  await ready;
  const text = value.startsWith('age1') ? value : await readInputText(value, "the worker's recipient");
  const recipient = text.split(/\r?\n/).find((line) => line !== '' && !line.startsWith('#')) ?? '';
  checkRecipient(recipient);
  return recipient;
}

function startOfDay(now: Date): Date {
  return new Date(`${now.toISOString().slice(0, 10)}T00:00:00Z`);
}

function dateFrom(text: string): Date {
  const full = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text;
  const date = new Date(full);
  // The round trip refuses days such as 30 February, which Date would quietly move.
  const isReal = !Number.isNaN(date.getTime()) && `${date.toISOString().slice(0, 19)}Z` === full;
  if (isReal) return date;
  throw new UsageError(`--from must be a day such as 2026-03-02 or a moment such as 2026-03-02T12:00:00Z, not "${text}"`, NAME);
}
