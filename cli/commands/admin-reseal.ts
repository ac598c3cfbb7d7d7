import { join } from 'node:path';
import { BACKUP_IDENTITY } from '../administering/backup-key.ts';
import { openFolder } from '../administering/folder.ts';
import { openBackup, protectBackup } from '../operating/backup.ts';
import { defineCommand, required } from '../command.ts';
import { EXIT } from '../errors.ts';
import { insistOnNew, readInput, writeNewFiles } from '../files.ts';
import { newPassphrase } from '../terminal/passphrase.ts';
import { visibleJson, visibleLine } from '../terminal/terminal.ts';

const NAME = 'admin reseal';

export const adminReseal = defineCommand({
  name: NAME,
  summary: 'Seal a backup of the relay with six words, for the operator who restores it',
  usage: 'FILE --out FILE [--folder DIR] [options]',
  examples: ['support-relay admin reseal /media/carry/relay.age --out /media/carry/restore.age --folder /media/admin'],
  details: `
Opens a backup (support-relay operator backup) with ${BACKUP_IDENTITY} of the folder, and seals it anew with a passphrase of
its own: press Enter alone, and read the six words to the operator by voice, never beside the file. So the key to all
backups stays on this computer. Nothing unsealed is written anywhere.

  --out FILE                  where to put it; nothing is overwritten
  --folder DIR                the administrator's folder; the current directory if left out
  --passphrase-file FILE      for scripts: the passphrase of ${BACKUP_IDENTITY} is the first line of FILE
  --new-passphrase-file FILE  for scripts: the new passphrase is the first line of FILE
  --json                      one line of JSON: file, files (their paths in the state of the relay)`,
  options: {
    out: { type: 'string' },
    folder: { type: 'string', default: '.' },
    'passphrase-file': { type: 'string' },
    'new-passphrase-file': { type: 'string' },
    json: { type: 'boolean' },
  },
  arguments: [1, 1],
  run: async (values, [file = ''], io) => {
    const out = required(values.out, 'out', NAME);
    const { dir } = await openFolder(values.folder, io);
    const sealed = await readInput(file, 'the backup');
    await insistOnNew([out]);
    const opener = { identity: join(dir, BACKUP_IDENTITY), passphraseFile: values['passphrase-file'] };
    const files = await openBackup(sealed, file, opener, io, NAME);
    const passphrase = await newPassphrase(io, out, values['new-passphrase-file']);
    await writeNewFiles([{ path: out, content: await protectBackup(files, passphrase, io), secret: true }]);
    if (values.json === true) io.out(`${visibleJson({ file: out, files: [...files.keys()] })}\n`);
    else io.err(`Give ${visibleLine(out)} to the operator, read them the words by voice, and delete your copies of both.\n`);
    return EXIT.ok;
  },
});
