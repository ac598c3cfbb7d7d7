import { equal } from '../../crypto/bytes.ts';
import { parsePublicKey, type PublicKey } from '../../crypto/minisign.ts';
import { textOf } from '../../crypto/text-file.ts';
import { join } from 'node:path';
import { BACKUP_IDENTITY } from '../administering/backup-key.ts';
import { insistOnYes } from '../administering/consent.ts';
import { openFolder } from '../administering/folder.ts';
import { openBackup, protectBackup } from '../operating/backup.ts';
import { KEYRINGS_FOLDER, type BackupFiles } from '../operating/backup-files.ts';
import { summaryLines, summaryOf, unfitBackup } from '../operating/backup-summary.ts';
import { defineCommand, required } from '../command.ts';
import { CliError, EXIT } from '../errors.ts';
import { insistOnNew, readInput, writeNewFiles } from '../files.ts';
import { ROOT_PUBLIC } from '../keys/keyring-folder.ts';
import { newPassphrase } from '../terminal/passphrase.ts';
import { visibleJson, visibleLine } from '../terminal/terminal.ts';

const NAME = 'admin reseal';

export const adminReseal = defineCommand({
  name: NAME,
  summary: 'Seal a backup of the relay with six words, for the operator who restores it',
  usage: 'FILE --out FILE [--folder DIR] [options]',
  examples: ['support-relay admin reseal /media/carry/relay.age --out /media/carry/restore.age --folder /media/admin'],
  details: `
Opens a backup (support-relay operator backup) with ${BACKUP_IDENTITY} of the folder, shows the onion address and the inboxes in
it, and asks whether they are yours: whoever has backup.recipient can make a backup. Then it seals it anew with a passphrase
of its own: press Enter alone, and read the six words to the operator by voice, never beside the file. So the key to all
backups stays on this computer. Nothing unsealed is written anywhere.

  --out FILE                  where to put it; nothing is overwritten
  --folder DIR                the administrator's folder; the current directory if left out
  --passphrase-file FILE      for scripts: the passphrase of ${BACKUP_IDENTITY} is the first line of FILE
  --new-passphrase-file FILE  for scripts: the new passphrase is the first line of FILE
  --yes                       for scripts: reseal without asking whether it is yours
  --json                      one line of JSON: file, files (their paths in the state of the relay), address, inboxes,
                              reminder, clients (who alone may reach the onion), version, site (whether it has one)`,
  options: {
    out: { type: 'string' },
    folder: { type: 'string', default: '.' },
    'passphrase-file': { type: 'string' },
    'new-passphrase-file': { type: 'string' },
    yes: { type: 'boolean' },
    json: { type: 'boolean' },
  },
  arguments: [1, 1],
  run: async (values, [file = ''], io) => {
    const out = required(values.out, 'out', NAME);
    const { dir, root, state } = await openFolder(values.folder, io);
    const sealed = await readInput(file, 'the backup');
    await insistOnNew([out]);
    const opener = { identity: join(dir, BACKUP_IDENTITY), passphraseFile: values['passphrase-file'] };
    const files = await openBackup(sealed, file, opener, io, NAME);
    insistOnOurs(files, root, file);
    const summary = summaryOf(files, unfitBackup(file));
    const teamName = (id: string): string | null => state.teams.find((team) => team.id === id)?.name ?? null;
    io.err(
      `The backup brings back:\n${summaryLines(summary, teamName)
        .map((line) => `${visibleLine(line)}\n`)
        .join('')}`,
    );
    await insistOnYes('Is this the address that people know, and do letters belong into these inboxes?', values.yes === true, io);
    const passphrase = await newPassphrase(io, out, values['new-passphrase-file']);
    await writeNewFiles([{ path: out, content: await protectBackup(files, passphrase, io), secret: true }]);
    if (values.json === true) io.out(`${visibleJson({ file: out, files: [...files.keys()], ...summary })}\n`);
    else io.err(`Give ${visibleLine(out)} to the operator, read them the words by voice, and delete your copies of both.\n`);
    return EXIT.ok;
  },
});

/** Whoever knows the recipient can make a backup. Throws BACKUP_FORMAT for one that would have the relay believe another administrator. */
function insistOnOurs(files: BackupFiles, root: PublicKey, name: string): void {
  const held = files.get(`${KEYRINGS_FOLDER}/${ROOT_PUBLIC}`);
  if (held === undefined || isKey(held, root)) return;
  const what = `${name} is not a backup of this administrator's relay: the root.pub in it is another one`;
  throw new CliError('BACKUP_FORMAT', what, 'ask the operator where it comes from; nothing was written');
}

function isKey(text: Uint8Array, root: PublicKey): boolean {
  try {
    return equal(parsePublicKey(textOf(text)).key, root.key);
  } catch {
    return false;
  }
}
