import { join } from 'node:path';
import { toHex } from '../../crypto/bytes.ts';
import { fingerprint } from '../../volunteer/keys/fingerprint.ts';
import { addBackupKey, beginFolder, SHEET } from '../administering/begin.ts';
import { BACKUP_IDENTITY, hasBackupKey } from '../administering/backup-key.ts';
import { openFolder, publicLineOf, ROOT_KEY, STATE } from '../administering/folder.ts';
import { ROOT_PUBLIC } from '../keys/keyring-folder.ts';
import { exists } from '../administering/store.ts';
import { defineCommand } from '../command.ts';
import { EXIT, UsageError } from '../errors.ts';
import { visibleJson, visibleLine } from '../terminal/terminal.ts';

const NAME = 'admin init';

export const adminInit = defineCommand({
  name: NAME,
  summary: "Make the administrator's folder, with the root key that signs every keyring",
  usage: '[--folder DIR] [--sheet FILE] [--passphrase-file FILE | --no-passphrase] [--json]',
  examples: ['support-relay admin init --folder /media/admin', 'support-relay admin init --folder /media/admin --sheet sheet.txt'],
  details: `
Makes in DIR the root key (root.key, minisign's own format, and root.pub), a recovery sheet to print (${SHEET}), the key
that opens backups of the relay (${BACKUP_IDENTITY}, under the same passphrase; its recipient, signed, goes to the operator
in out/), and the state of the folder (${STATE}). Do this on a computer that never goes online, and copy the folder to a
second stick. A root.key that lies in DIR already is taken. Nothing is overwritten; in a folder that is there already, only
a missing key to backups is made.

  --folder DIR            the administrator's folder; the current directory if left out
  --sheet FILE            restore the root key from the lines of a recovery sheet, typed into FILE
  --passphrase-file FILE  for scripts: the passphrase is the first line of FILE; otherwise it is asked, a new one twice
  --no-passphrase         leave root.key unprotected: only for tests and demonstrations
  --json                  one line of JSON: folder, publicKey, fingerprint, sheet, made (false: it was there)`,
  options: {
    folder: { type: 'string', default: '.' },
    sheet: { type: 'string' },
    'passphrase-file': { type: 'string' },
    'no-passphrase': { type: 'boolean' },
    json: { type: 'boolean' },
  },
  run: async (values, _positionals, io) => {
    const { folder, sheet } = values;
    const unprotected = values['no-passphrase'] === true;
    if (unprotected && values['passphrase-file'] !== undefined) {
      throw new UsageError('--no-passphrase and --passphrase-file exclude each other', NAME);
    }
    const isThere = await exists(join(folder, STATE));
    if (!isThere) {
      const from = sheet === undefined ? '' : `, with the root key of ${visibleLine(sheet)}`;
      io.err(`This makes an administrator's folder in ${visibleLine(folder)}${from}.\n`);
      await beginFolder(folder, { sheet, passphraseFile: values['passphrase-file'], unprotected }, io);
    }
    const opened = await openFolder(folder, io);
    const { root } = opened;
    const isComplete = await hasBackupKey(folder);
    if (!isComplete) {
      await addBackupKey(opened, values['passphrase-file'], io);
      io.err(`${BACKUP_IDENTITY} is new: with the next signing its recipient lies in out/, for the operator.\n`);
    }
    const publicKey = publicLineOf(root);
    const shown = fingerprint(toHex(root.key));
    if (values.json === true) {
      io.out(`${visibleJson({ folder, publicKey, fingerprint: shown, sheet: join(folder, SHEET), made: !isThere })}\n`);
      return EXIT.ok;
    }
    if (isThere && isComplete) io.err('There is a folder already: nothing to do.\n');
    io.err(`${ROOT_KEY} and ${BACKUP_IDENTITY} are secret and stay here.\n`);
    io.err(`Print ${visibleLine(join(folder, SHEET))}, and copy the whole folder to a second stick.\n`);
    io.err(`Give ${visibleLine(join(folder, ROOT_PUBLIC))} to the operator and to every volunteer.\n`);
    io.err(`Its fingerprint, to read to each other: ${shown}\n`);
    io.out(`${publicKey}\n`);
    return EXIT.ok;
  },
});
