import { join, resolve } from 'node:path';
import { readKeyringFiles } from '../keys/keyring-files.ts';
import { SERIAL_MAX } from '../keys/keyring.ts';
import { readRootPublicKey } from '../keys/root-key.ts';
import { CodedError } from '../../crypto/errors.ts';
import type { Keyring, VerifiedKeyring } from '../../crypto/keyring.ts';
import { HIGHEST_DIFFICULTY } from '../../crypto/wire.ts';
import { loadBuilder } from '../builder.ts';
import { defineCommand, required, wholeNumber } from '../command.ts';
import { CliError, EXIT, UsageError } from '../errors.ts';
import { readInputText } from '../files.ts';
import type { Io } from '../terminal/io.ts';
import { visibleJson, visibleLine } from '../terminal/terminal.ts';
import { carriedFrom } from '../../web/build/carried.ts';
import type { Former } from '../../web/build/publish.ts';
import { SiteError } from '../../web/build/site.ts';

const NAME = 'operator build-form';
/** A weekend, to get the next keyring signed; as for the relay's own keyrings (runtime/keyrings.ts). */
const ENDING_MS = 48 * 60 * 60 * 1000;
const DAY_MS = 24 * 60 * 60 * 1000;

export const operatorBuildForm = defineCommand({
  name: NAME,
  summary: 'Build the web form with your root key in it',
  usage: '--root-key FILE --out DIR [--keyring PATH]… [--site FILE] [options]',
  examples: ['support-relay operator build-form --root-key root.pub --keyring keyrings --out web'],
  details: `
Writes the form's static files into DIR, for the relay to serve (RELAY_WEB). The root public key is built in, so the
form takes only keyrings that your administrator signed.

  --root-key FILE    the public root key (root.pub)
  --out DIR          where to put the form
  --keyring PATH     keyrings for the offline form: a file with its .minisig beside it, or a folder with a season's; may be
                     given several times. Without one there is no offline form. The form carries the current one and those
                     that follow it, for four weeks at most. Build again before the last of them ends: after that the
                     relay no longer serves the offline form
  --from DATE        the day, in UTC, from which these four weeks are counted; today if left out
  --site FILE        where Quick exit leads to, crisis lines and the like (docs/form.md)
  --floor-serial N   the form refuses keyrings below this serial; 1 if left out
  --no-offline-form  remove the offline form that is in DIR, when no --keyring is given
  --replace          remove or overwrite anything else in DIR that this build does not have or that no build made
  --offline-difficulty N  leading zero bits of stamps by the offline form, which cannot ask the relay; 14 if left out
  --json             one line of JSON: directory, manifestFile, gone, foreign (lists), signatureGone, keyrings (serials
                     in the offline form), until (its end, or null), warning (or null)

A former build in DIR is replaced in one go when the new one is complete. If something of the former build would be gone, it
is named, and nothing changes unless you agree to it. The signature of a former manifest that differs is removed.

DIR/manifest.json lists the files with their hashes, and the relay starts only while they are as listed. To sign it, run
support-relay admin sign DIR/manifest.json on the computer that has the root key.`,
  options: {
    'root-key': { type: 'string' },
    out: { type: 'string' },
    site: { type: 'string' },
    'floor-serial': { type: 'string', default: '1' },
    keyring: { type: 'string', multiple: true, default: [] },
    from: { type: 'string' },
    'offline-difficulty': { type: 'string', default: '14' },
    'no-offline-form': { type: 'boolean', default: false },
    replace: { type: 'boolean', default: false },
    json: { type: 'boolean' },
  },
  run: async (values, _positionals, io) => {
    const rootKeyFile = required(values['root-key'], 'root-key', NAME);
    const outDir = required(values.out, 'out', NAME);
    const floorSerial = wholeNumber(values['floor-serial'], 'floor-serial', [1, SERIAL_MAX], NAME);
    const offlineDifficulty = wholeNumber(values['offline-difficulty'], 'offline-difficulty', [0, HIGHEST_DIFFICULTY], NAME);
    const root = await readRootPublicKey(rootKeyFile);
    const given = await readKeyringFiles(values.keyring, root);
    const carried = carriedFrom(given, values.from === undefined ? dayOf(io.now()) : dayFrom(values.from));
    const warning = checkTimes(given, carried, io.now());
    if (values.site !== undefined) await readInputText(values.site, 'the site file');
    const { buildWeb } = await loadBuilder();
    // Absolute, since the builder works from the project's own directory.
    const site = values.site === undefined ? {} : { siteFile: resolve(values.site) };
    const agree = (former: Former): void => requireConsent(former, outDir, { offline: values['no-offline-form'], all: values.replace });
    const options = {
      rootKeyFile: resolve(rootKeyFile),
      outDir: resolve(outDir),
      floorSerial,
      keyrings: carried.map(({ signed }) => signed),
      offlineDifficulty,
      agree,
      ...site,
    };
    const built = await buildWeb(options).catch((error: unknown) => {
      if (!(error instanceof SiteError)) throw error;
      throw new CliError('INPUT_FORMAT', `${values.site ?? ''}: ${error.message}`, 'see docs/form.md');
    });
    tellBuilt(built, { keyrings: carried.map(({ keyring }) => keyring), warning }, outDir, values.json === true, io);
    return EXIT.ok;
  },
});

type Built = { gone: readonly string[]; foreign: readonly string[]; signatureGone: boolean };

type Offline = { keyrings: readonly Keyring[]; warning: string | null };

function tellBuilt(built: Built, { keyrings, warning }: Offline, outDir: string, isJson: boolean, io: Io): void {
  const { gone, foreign, signatureGone } = built;
  const manifestFile = join(outDir, 'manifest.json');
  const serials = keyrings.map(({ serial }) => serial);
  const until = keyrings.at(-1)?.notAfter ?? null;
  if (isJson) {
    io.out(`${visibleJson({ directory: outDir, manifestFile, gone, foreign, signatureGone, keyrings: serials, until, warning })}\n`);
  } else io.err(`The form is in ${visibleLine(outDir)}.\n`);
  if (until !== null && !isJson) {
    io.err(`Keyrings in the offline form: ${serials.join(', ')}. It is of use until ${until}: build it again before that.\n`);
  }
  if (gone.length > 0) io.err(`Removed: ${named(gone)}.\n`);
  if (foreign.length > 0) io.err(`Overwritten, though no former build made it: ${named(foreign)}.\n`);
  if (signatureGone) {
    io.err('The manifest has changed, so its signature manifest.json.minisig was removed: have the new one signed.\n');
  }
  if (warning !== null) io.err(`Warning: ${warning}.\n`);
}

const OFFLINE_FORM = /(?:^|\/)form(?:-ended)?\.(?:html|json)$/;

/** Throws FORM_SHRINKS or OUTPUT_EXISTS when the build would remove or overwrite something that nobody has agreed to. */
function requireConsent({ gone, foreign }: Former, outDir: string, agreed: { offline: boolean; all: boolean }): void {
  if (agreed.all) return;
  const rest = gone.filter((path) => !OFFLINE_FORM.test(path));
  const offline = gone.filter((path) => OFFLINE_FORM.test(path));
  if (offline.length > 0 && !agreed.offline) {
    throw new CliError(
      'FORM_SHRINKS',
      `${outDir} has an offline form, and this build has none: ${named(offline)} would be gone`,
      'give it a keyring (--keyring), or --no-offline-form if it is to go; nothing was changed',
    );
  }
  if (rest.length > 0) {
    throw new CliError(
      'FORM_SHRINKS',
      `this build does not have what is in ${outDir}: ${named(rest)} would be gone`,
      'give --replace if that is right; nothing was changed',
    );
  }
  if (foreign.length > 0) {
    throw new CliError(
      'OUTPUT_EXISTS',
      `${outDir} has files that no build of the form made: ${named(foreign)} would be overwritten`,
      'choose another --out, or give --replace if that is right; nothing was changed',
    );
  }
}

const NAMED_MAX = 12;

function named(paths: readonly string[]): string {
  const more = paths.length - NAMED_MAX;
  return `${paths.slice(0, NAMED_MAX).map(visibleLine).join(', ')}${more > 0 ? ` and ${String(more)} more` : ''}`;
}

/** The first moment of a moment's day in UTC: so that two builds of one day are the same. */
const dayOf = (moment: Date): Date => new Date(Math.floor(moment.getTime() / DAY_MS) * DAY_MS);

function dayFrom(text: string): Date {
  const day = new Date(`${text}T00:00:00Z`);
  if (/^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text)) return day;
  throw new UsageError(`--from must be a date such as 2026-11-30, not "${visibleLine(text)}"`, NAME);
}

/**
 * An offline form is of use only while one of the keyrings that it carries is valid. @returns what the operator should know about that, or
 * null. Throws KEYRING_EXPIRED when all have ended.
 */
function checkTimes(given: readonly VerifiedKeyring[], carried: readonly VerifiedKeyring[], now: Date): string | null {
  if (given.length === 0) return null;
  const [first, last] = [carried[0]?.keyring.notBefore, carried.at(-1)?.keyring.notAfter];
  if (first === undefined || last === undefined || Date.parse(last) <= now.getTime()) {
    const end =
      last ??
      given
        .map(({ keyring }) => keyring.notAfter)
        .sort()
        .at(-1) ??
      '';
    throw new CodedError('KEYRING_EXPIRED', `an offline form could seal nothing: the last of its keyrings was valid until ${end}`);
  }
  if (Date.parse(last) - now.getTime() < ENDING_MS) {
    return `the offline form is of use only until ${last}: build it again with the next keyring before that`;
  }
  if (Date.parse(first) > now.getTime()) return `the offline form is of no use before ${first}: give it the keyring of this week as well`;
  return null;
}
