import { createIdentityFile } from '../actions/identity.ts';
import { defineCommand } from '../command.ts';
import { fingerprint } from '../fingerprint.ts';
import { newPassphrase } from '../passphrase.ts';
import { visibleJson, visibleLine } from '../terminal.ts';
import { EXIT } from '../errors.ts';

export const keygen = defineCommand({
  name: 'keygen',
  summary: 'Make a key to open requests with: an age identity file',
  usage: '[--out FILE] [--passphrase] [--passphrase-file FILE] [--json]',
  details: `
Writes the secret key to FILE, readable by you alone, and prints its public half (age1pq1…) for the administrator.
A file that exists is never overwritten.

  --out FILE              where to put it; without it identity-<today>.txt here (.age with a passphrase)
  --passphrase            protect the file with a passphrase, asked twice (what age -p makes; age opens it)
  --passphrase-file FILE  the same, for scripts: the passphrase is the first line of FILE
  --json                  one line of JSON: file, recipient, fingerprint, protected

Example: support-relay keygen --passphrase --out week-12.age`,
  options: {
    out: { type: 'string' },
    passphrase: { type: 'boolean' },
    'passphrase-file': { type: 'string' },
    json: { type: 'boolean' },
  },
  run: async (values, _positionals, io) => {
    const isProtected = values.passphrase === true || values['passphrase-file'] !== undefined;
    const file = values.out ?? `identity-${io.now().toISOString().slice(0, 10)}.${isProtected ? 'age' : 'txt'}`;
    const made = await createIdentityFile({
      file,
      now: io.now(),
      ...(isProtected ? { passphrase: await newPassphrase(io, file, values['passphrase-file']) } : {}),
    });
    const mark = fingerprint(made.recipient);
    if (values.json === true) {
      io.out(`${visibleJson({ file, recipient: made.recipient, fingerprint: mark, protected: isProtected })}\n`);
    } else {
      io.err(`The secret key is in ${visibleLine(file)}. Keep it; never send it to anyone.\n`);
      if (!isProtected) io.err('It has no passphrase: whoever gets the file can read the requests of its week.\n');
      io.err(`Send this line to the administrator, and compare its fingerprint by voice: ${mark}\n`);
      io.out(`${made.recipient}\n`);
    }
    return EXIT.ok;
  },
});
