import { join } from 'node:path';
import { createRootKey } from '../keys/root-key.ts';
import { defineCommand, required } from '../command.ts';
import { EXIT, UsageError } from '../errors.ts';
import { insistOnNew, readInputText } from '../files.ts';
import { newPassphrase } from '../terminal/passphrase.ts';
import { PROTECTING, withProgress } from '../terminal/progress.ts';
import { visibleJson, visibleLine } from '../terminal/terminal.ts';

const NAME = 'admin init';

export const adminInit = defineCommand({
  name: NAME,
  summary: 'Make the root key pair, which signs every keyring',
  usage: '--out DIR [--passphrase | --no-passphrase] [--passphrase-file FILE] [--json]',
  examples: ['support-relay admin init --out /media/root'],
  details: `
Writes DIR/root.key (secret, readable by you alone; minisign's own format) and DIR/root.pub. Do this on a computer
that never goes online. Nothing is overwritten.

  --out DIR               where to put them
  --passphrase            protect root.key with a passphrase, which is asked twice; this is the default
  --no-passphrase         leave it unprotected: only for tests and demonstrations
  --passphrase-file FILE  for scripts: the passphrase is the first line of FILE
  --json                  one line of JSON: keyFile, publicKeyFile, publicKey`,
  options: {
    out: { type: 'string' },
    passphrase: { type: 'boolean' },
    'no-passphrase': { type: 'boolean' },
    'passphrase-file': { type: 'string' },
    json: { type: 'boolean' },
  },
  run: async (values, _positionals, io) => {
    const directory = required(values.out, 'out', NAME);
    const isUnprotected = values['no-passphrase'] === true;
    if (isUnprotected && (values.passphrase === true || values['passphrase-file'] !== undefined)) {
      throw new UsageError('--no-passphrase and a passphrase exclude each other', NAME);
    }
    await insistOnNew([join(directory, 'root.key'), join(directory, 'root.pub')]);
    const passphrase = isUnprotected ? {} : { passphrase: await newPassphrase(io, 'root.key', values['passphrase-file']), logN: io.logN };
    const made = await withProgress(io, PROTECTING, (onProgress) => createRootKey({ directory, ...passphrase, onProgress }));
    const publicKey = (await readInputText(made.publicKeyFile, 'the root public key')).trim().split('\n').at(-1) ?? '';
    if (values.json === true) {
      io.out(`${visibleJson({ ...made, publicKey })}\n`);
    } else {
      io.err(`The secret root key is in ${visibleLine(made.keyFile)}: keep it and a copy offline, in two places.\n`);
      io.err(`The public key is in ${visibleLine(made.publicKeyFile)}: give it to the operator and to every volunteer.\n`);
      io.out(`${publicKey}\n`);
    }
    return EXIT.ok;
  },
});
