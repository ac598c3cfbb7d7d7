import { createIdentityFile } from '../keys/identity.ts';
import { createSignerFile } from '../keys/signer.ts';
import { defineCommand } from '../command.ts';
import { fingerprint } from '../../volunteer/keys/fingerprint.ts';
import { insistOnNew } from '../files.ts';
import { newPassphrase } from '../terminal/passphrase.ts';
import { withProgress } from '../terminal/progress.ts';
import { visibleJson, visibleLine } from '../terminal/terminal.ts';
import { EXIT, UsageError } from '../errors.ts';
import type { Io } from '../terminal/io.ts';

const NAME = 'keygen';
const MAKING = 'Protecting the key with its passphrase';

export const keygen = defineCommand({
  name: NAME,
  summary: 'Make a key: an age identity to open requests with, or a signer to answer with',
  usage: '[--out FILE | --signer FILE] [--passphrase] [--passphrase-file FILE] [--json]',
  examples: ['support-relay keygen --passphrase --out week-12.age', 'support-relay keygen --passphrase --signer signer.key'],
  details: `
Writes the secret key to FILE, readable by you alone, and prints its public half (age1pq1…) for the administrator.
A file that exists is never overwritten.

  --out FILE              where to put it; without it identity-<today>.txt here (.age with a passphrase)
  --signer FILE           make a signer instead: what you answer with, kept until it is revoked. FILE.pub
                          beside it is public; what the administrator needs is printed (64 digits)
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
    const made =
      values.signer === undefined
        ? {
            recipient: (
              await withProgress(io, MAKING, (onProgress) => createIdentityFile({ file, now: io.now(), ...passphrase, onProgress }))
            ).recipient,
          }
        : { signer: (await withProgress(io, MAKING, (onProgress) => createSignerFile({ file, ...passphrase, onProgress }))).signer };
    if (values.json === true) {
      io.out(`${visibleJson({ file, ...made, fingerprint: fingerprint(Object.values(made)[0] ?? ''), protected: isProtected })}\n`);
    } else {
      tell(io, file, isProtected, made);
    }
    return EXIT.ok;
  },
});

function tell(io: Io, file: string, isProtected: boolean, made: { recipient: string } | { signer: string }): void {
  const [line, without] =
    'signer' in made ? [made.signer, 'can answer in your name'] : [made.recipient, 'can read the requests of its week'];
  io.err(`The secret key is in ${visibleLine(file)}. Keep it; never send it to anyone.\n`);
  if (!isProtected) io.err(`It has no passphrase: whoever gets the file ${without}.\n`);
  io.err(`Send this line to the administrator, and compare its fingerprint by voice: ${fingerprint(line)}\n`);
  io.out(`${line}\n`);
}
