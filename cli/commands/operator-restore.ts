import { openBackup } from '../operating/backup.ts';
import { summaryLines, summaryOf, unfitBackup } from '../operating/backup-summary.ts';
import { restoreFiles } from '../operating/restore.ts';
import { defineCommand, required } from '../command.ts';
import { EXIT } from '../errors.ts';
import { readInput } from '../files.ts';
import { visibleJson, visibleLine } from '../terminal/terminal.ts';

const NAME = 'operator restore';

export const operatorRestore = defineCommand({
  name: NAME,
  summary: "Put a backup of the relay's configuration and lasting keys into a new folder",
  usage: 'FILE --state DIR [--identity FILE] [--replace] [--json]',
  examples: [
    'support-relay operator restore /media/carry/restore.age --state /var/lib/support-relay',
    'docker compose run --rm --volume /media/carry:/in:ro tools operator restore /in/restore.age --state /state',
  ],
  details: `
FILE is what the administrator made of a backup with support-relay admin reseal: it asks for the six words that they read to
you. A backup as operator backup made it needs --identity, which the administrator keeps offline. What is not exactly such a
backup is refused, and nothing is written. After something broke off, run it again. The worker's keys are not in it, nor
keyrings: make keys anew, and have the administrator sign (docs/operations.md, Backup, restore, moving).

  --state DIR             the folder of the relay; it is made if it is not there
  --identity FILE         the identity that opens FILE; its passphrase is asked
  --replace               write over files that are there and differ
  --passphrase-file FILE  for scripts: the passphrase, or the six words, are the first line of FILE
  --json                  one line of JSON: written, same (paths in DIR: what was there already, as in the backup)`,
  options: {
    state: { type: 'string' },
    identity: { type: 'string' },
    replace: { type: 'boolean' },
    'passphrase-file': { type: 'string' },
    json: { type: 'boolean' },
  },
  arguments: [1, 1],
  run: async ({ state, identity, replace, json, ...values }, [file = ''], io) => {
    const dir = required(state, 'state', NAME);
    const sealed = await readInput(file, 'the backup');
    const files = await openBackup(sealed, file, { identity, passphraseFile: values['passphrase-file'] }, io, NAME);
    const summary = summaryOf(files, unfitBackup(file));
    const restored = await restoreFiles(dir, files, replace === true);
    if (json === true) {
      io.out(`${visibleJson(restored)}\n`);
      return EXIT.ok;
    }
    const nobody = (): null => null;
    io.err(
      `The backup brings back:\n${summaryLines(summary, nobody)
        .map((line) => `${visibleLine(line)}\n`)
        .join('')}`,
    );
    for (const path of restored.written) io.out(`${visibleLine(path)}\n`);
    if (restored.same.length > 0) io.err(`${String(restored.same.length)} files were there already.\n`);
    io.err("Restored. The worker's keys are not in a backup: give the card of new ones to the administrator. The form is closed until\n");
    io.err('the keyrings that come back are here.\n');
    return EXIT.ok;
  },
});
