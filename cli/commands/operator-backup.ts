import { join } from 'node:path';
import { ready } from '../../crypto/sodium.ts';
import { ROOT_PUBLIC } from '../keys/keyring-folder.ts';
import { BACKUP_RECIPIENT, readBackupRecipient } from '../operating/backup-recipient.ts';
import { sealBackup } from '../operating/backup.ts';
import { collectFiles, KEYRINGS_FOLDER } from '../operating/backup-files.ts';
import { summaryOf, unfitState } from '../operating/backup-summary.ts';
import { defineCommand, required } from '../command.ts';
import { CliError, EXIT } from '../errors.ts';
import { insistOnNew, writeNewFiles } from '../files.ts';
import { visibleJson, visibleLine } from '../terminal/terminal.ts';

const NAME = 'operator backup';

export const operatorBackup = defineCommand({
  name: NAME,
  summary: "Seal the relay's configuration and its lasting keys to the administrator",
  usage: '--state DIR [--out FILE] [--json]',
  examples: [
    'support-relay operator backup --state /var/lib/support-relay --out relay-2026-11-30.age',
    'docker compose run --rm -T tools operator backup --state /state > relay.age',
  ],
  details: `
Holds the keys of the onion service, root.pub, the settings of mail with its passwords, and site.json. Holds no key of a
week, no keyring, nothing that waits, and no password of Redis. Only the administrator opens it: it is sealed to
keyrings/backup.recipient in DIR, which the root key must have signed. Nothing unsealed is written anywhere.

  --state DIR  the folder of the relay
  --out FILE   where to put it; standard output if left out. Nothing is overwritten
  --json       with --out: one line of JSON: file, files (their paths in DIR), address (null: no onion key is in it)`,
  options: { state: { type: 'string' }, out: { type: 'string' }, json: { type: 'boolean' } },
  run: async ({ state, out, json }, _positionals, io) => {
    const dir = required(state, 'state', NAME);
    if (out !== undefined) await insistOnNew([out]);
    else if (io.stdoutIsTerminal) {
      throw new CliError('OUTPUT_TERMINAL', 'a backup is no text for a terminal', 'give --out FILE, or send it into a file with > FILE');
    }
    const files = await collectFiles(dir);
    await ready;
    const { address } = summaryOf(files, unfitState(dir));
    const keyrings = join(dir, KEYRINGS_FOLDER);
    const { recipient } = await readBackupRecipient(join(keyrings, BACKUP_RECIPIENT), join(keyrings, ROOT_PUBLIC));
    const sealed = await sealBackup(files, recipient);
    if (out === undefined) {
      io.out(sealed);
      if (io.isUnheard()) throw new CliError('OUTPUT_FAILED', 'the backup is not whole', 'make room there, and make the backup again');
    } else await writeNewFiles([{ path: out, content: sealed, secret: true }]);
    if (out !== undefined && json === true) io.out(`${visibleJson({ file: out, files: [...files.keys()], address })}\n`);
    else io.err(`The backup has ${String(sealed.length)} bytes. In it: ${[...files.keys()].map(visibleLine).join(', ')}.\n`);
    if (address !== null) io.err(`The onion address: ${address}\n`);
    else io.err('The key of the onion service is not there: a relay that is restored from this has another address.\n');
    return EXIT.ok;
  },
});
