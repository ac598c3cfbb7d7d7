import { openFolder } from '../administering/folder.ts';
import { takeKeyrings } from '../administering/take.ts';
import { defineCommand } from '../command.ts';
import { EXIT } from '../errors.ts';
import { visibleJson } from '../terminal/terminal.ts';

export const adminTake = defineCommand({
  name: 'admin take',
  summary: 'Take in keyrings that were signed with another stick',
  usage: 'KEYRING… [--folder DIR] [--json]',
  examples: ['support-relay admin take /media/carry/relay/keyring-*.json --folder /media/admin'],
  details: `
Each KEYRING, with its .minisig beside it, must be signed by the root key of the folder and follow the keyring before it:
two sticks never sign the same serial. A folder without teams, such as one restored from the recovery sheet, gets them from
the newest keyring, as team-1, team-2 and so on. Cards are not in a keyring: ask for them again, or copy the newer stick.

  --folder DIR            the administrator's folder; the current directory if left out
  --json                  one line of JSON: serials (those that were new), teams (those that the folder got)`,
  options: { folder: { type: 'string', default: '.' }, json: { type: 'boolean' } },
  arguments: [1, 4096],
  run: async (values, paths, io) => {
    const { serials, teams } = await takeKeyrings(await openFolder(values.folder, io), paths);
    if (values.json === true) io.out(`${visibleJson({ serials, teams })}\n`);
    io.err(
      serials.length === 0 ? 'All of them are here already: nothing to do.\n' : `Taken in: keyring ${serials.map(String).join(', ')}.\n`,
    );
    if (teams.length > 0) io.err(`The folder had no teams, and has those of the newest keyring now: ${teams.join(', ')}.\n`);
    return EXIT.ok;
  },
});
