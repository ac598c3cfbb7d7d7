import { commit, openFolder } from '../administering/folder.ts';
import { namesSame, readRelease, releaseKeyName } from '../administering/release.ts';
import { defineCommand } from '../command.ts';
import { EXIT } from '../errors.ts';
import { visibleJson } from '../terminal/terminal.ts';

export const adminRelease = defineCommand({
  name: 'admin release',
  summary: 'Name the newest release of the programs in the keyrings that are signed from now on',
  usage: 'MANIFEST [--release-key FILE] [--folder DIR] [--json]',
  examples: ['support-relay admin release /media/carry/manifest.json --release-key /media/carry/release.pub --folder /media/admin'],
  details: `
MANIFEST is manifest.json of a release, with its .minisig beside it. It must be signed with the release key, which is given
the first time and kept, and not be older than the release that is known. Programs of an older version then say that there
is a newer one. Keyrings that are signed already stay as they are; admin season --again signs them anew.

  --release-key FILE      the project's public key, from somebody you trust: the first time
  --folder DIR            the administrator's folder; the current directory if left out
  --json                  one line of JSON: changed, version, digest, releaseKey (its id)`,
  options: { 'release-key': { type: 'string' }, folder: { type: 'string', default: '.' }, json: { type: 'boolean' } },
  arguments: [1, 1],
  run: async (values, [file = ''], io) => {
    const folder = await openFolder(values.folder, io);
    const change = await readRelease(folder, file, values['release-key']);
    const isNewKey = folder.state.releaseKey === undefined;
    const changed = isNewKey || !namesSame(folder.state, change);
    if (changed) await commit(folder, change);
    const { version, digest } = change.release;
    const key = releaseKeyName(change);
    if (values.json === true) io.out(`${visibleJson({ changed, version, digest, releaseKey: key })}\n`);
    else if (!changed) io.err(`Release ${version} is the newest here already: nothing to do.\n`);
    else io.err(`Release ${version} is the newest now. It will be in the keyrings that are signed from now on.\n`);
    if (isNewKey) io.err(`The release key ${String(key)} is kept: compare its id with what the project publishes, over another channel.\n`);
    return EXIT.ok;
  },
});
