import { readRootKey } from '../keys/root-key.ts';
import { sign, verify } from '../../crypto/minisign.ts';
import { defineCommand } from '../command.ts';
import { EXIT, UsageError } from '../errors.ts';
import { insistOnNew, readInput, writeNewFiles } from '../files.ts';
import { existingPassphrase } from '../terminal/passphrase.ts';
import { visibleJson, visibleLine } from '../terminal/terminal.ts';

const NAME = 'admin sign';

export const adminSign = defineCommand({
  name: NAME,
  summary: "Sign a file with the root key: the form's manifest, the offline form",
  usage: 'FILE [--root-key FILE] [--comment TEXT] [--passphrase-file FILE] [--json]',
  examples: ['support-relay admin sign web/manifest.json --root-key root.key'],
  details: `
Writes FILE.minisig, in minisign's format. Sign the manifest.json of a form only if you have built it yourself or compared it
with one that you built: the relay serves the signature beside it, and starts only while it is valid. Nothing is overwritten.

  --root-key FILE         the secret root key, whose passphrase is asked; root.key in the current directory if left out
  --comment TEXT          the trusted comment, which is signed too; the file's name if left out
  --passphrase-file FILE  for scripts: the root key's passphrase is the first line of FILE
  --json                  one line of JSON: file, signatureFile, comment

Anyone checks it with: minisign -Vm FILE -p root.pub`,
  options: {
    'root-key': { type: 'string', default: 'root.key' },
    comment: { type: 'string' },
    'passphrase-file': { type: 'string' },
    json: { type: 'boolean' },
  },
  arguments: [1, 1],
  run: async (values, [file = ''], io) => {
    const rootKeyFile = values['root-key'];
    const comment = values.comment ?? file.split('/').at(-1) ?? '';
    if (/[\r\n]/.test(comment)) throw new UsageError('--comment must be one line', NAME);
    const content = await readInput(file, 'the file');
    const path = `${file}.minisig`;
    await insistOnNew([path]);
    const rootKey = await readRootKey(rootKeyFile, () => existingPassphrase(io, rootKeyFile, values['passphrase-file']), io);
    const signature = sign(content, rootKey, comment);
    verify(content, signature, rootKey);
    await writeNewFiles([{ path, content: signature, secret: false }]);
    if (values.json === true) io.out(`${visibleJson({ file, signatureFile: path, comment })}\n`);
    else io.err(`Written: ${visibleLine(path)}\n`);
    return EXIT.ok;
  },
});
