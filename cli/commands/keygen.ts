import { createIdentityFile } from '../keys/identity.ts';
import { createSignerFile } from '../keys/signer.ts';
import { defineCommand } from '../command.ts';
import { fingerprint } from '../../volunteer/keys/fingerprint.ts';
import { insistOnNew } from '../files.ts';
import { newPassphrase } from '../terminal/passphrase.ts';
import { PROTECTING, withProgress } from '../terminal/progress.ts';
import { visibleJson, visibleLine } from '../terminal/terminal.ts';
import { EXIT, UsageError } from '../errors.ts';
import type { OnProgress } from '../../volunteer/keys/key-files.ts';
import type { Io } from '../terminal/io.ts';

const NAME = 'keygen';

export const keygen = defineCommand({
  name: NAME,
  summary: 'Make a key: an age identity to open requests with, or a signer to answer with',
  usage: '[--out FILE | --signer FILE] [--passphrase] [--passphrase-file FILE] [--json]',
  examples: ['support-relay keygen --passphrase --out week-12.age', 'support-relay keygen --passphrase --signer signer.key'],
  details: `
Writes the secret key to FILE, readable by you alone, and prints its public half (age1pq1…) for the administrator.
A file that exists is never overwritten.

  --out FILE              where to put it; identity-<today>.txt here if left out (.age with a passphrase)
  --signer FILE           make a signer instead, which signs your answers; keep it until it is revoked. FILE.pub beside
                          it is its public half; the 64 digits for the administrator are printed
  --passphrase            protect the file with a passphrase, asked twice (as age -p, or minisign, protects it)
  --passphrase-file FILE  the same, for scripts: the passphrase is the first line of FILE
  --json                  one line of JSON: file, recipient or signer, fingerprint, protected`,
  options: {
    out: { type: 'string' },
    signer: { type: 'string' },
    passphrase: { type: 'boolean' },
    'passphrase-file': { type: 'string' },
    json: { type: 'boolean' },
  },
  run: async (values, _positionals, io) => {
    if (values.signer !== undefined && values.out !== undefined) throw new UsageError('--signer and --out make two different keys', NAME);
    const isProtected = values.passphrase === true || values['passphrase-file'] !== undefined;
    const file = values.signer ?? values.out ?? `identity-${io.now().toISOString().slice(0, 10)}.${isProtected ? 'age' : 'txt'}`;
    if (file === '') throw new UsageError('--signer is missing its file', NAME);
    await insistOnNew(values.signer === undefined ? [file] : [file, `${file}.pub`]);
    const passphrase = isProtected ? { passphrase: await newPassphrase(io, file, values['passphrase-file']), logN: io.logN } : {};
    const kind = values.signer === undefined ? 'recipient' : 'signer';
    const publicHalf = await withProgress(io, PROTECTING, (onProgress) => KINDS[kind].create({ file, ...passphrase, onProgress }, io));
    if (values.json === true) {
      io.out(`${visibleJson({ file, [kind]: publicHalf, fingerprint: fingerprint(publicHalf), protected: isProtected })}\n`);
      return EXIT.ok;
    }
    io.err(`The secret key is in ${visibleLine(file)}. Keep it; never send it to anyone.\n`);
    if (!isProtected) io.err(`It has no passphrase: whoever gets the file ${KINDS[kind].danger}.\n`);
    io.err(`Send this line to the administrator, and compare its fingerprint by voice: ${fingerprint(publicHalf)}\n`);
    io.out(`${publicHalf}\n`);
    return EXIT.ok;
  },
});

type KeyOptions = { file: string; passphrase?: string; logN?: number | undefined; onProgress: OnProgress };
/** `create` returns the public half; `danger`: what somebody can do who gets the secret half. */
type Kind = { create: (options: KeyOptions, io: Io) => Promise<string>; danger: string };

/** Two kinds of key, by what their public halves are called. */
const KINDS: Readonly<Record<'recipient' | 'signer', Kind>> = {
  recipient: {
    create: async (options, io) => (await createIdentityFile({ ...options, now: io.now() })).recipient,
    danger: 'can read the requests of its week',
  },
  signer: { create: async (options) => (await createSignerFile(options)).signer, danger: 'can answer in your name' },
};
