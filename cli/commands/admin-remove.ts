import { commit, openFolder } from '../administering/folder.ts';
import { namedVolunteer } from '../administering/members.ts';
import { firstOutdated } from '../administering/plan.ts';
import { secondOf } from '../administering/signing.ts';
import { defineCommand } from '../command.ts';
import { EXIT } from '../errors.ts';
import { dayOf } from '../../volunteer/keys/season.ts';
import { visibleJson, visibleLine } from '../terminal/terminal.ts';

const NAME = 'admin remove';

export const adminRemove = defineCommand({
  name: NAME,
  summary: 'Leave a volunteer out of the keyrings that are signed from now on',
  usage: 'ALIAS [--folder DIR] [--json]',
  examples: ['support-relay admin remove Maple'],
  details: `
For somebody who leaves in peace. Keyrings that are signed already stay as they are, and so the volunteer can read until
they end: support-relay admin season --again signs them anew. Whose keys may be in other hands: support-relay admin revoke.
Who was removed comes back with support-relay admin add and their card.

  --folder DIR            the administrator's folder; the current directory if left out
  --json                  one line of JSON: alias, removed (false: it was done already), outdatedFrom`,
  options: { folder: { type: 'string', default: '.' }, json: { type: 'boolean' } },
  arguments: [1, 1],
  run: async (values, [name = ''], io) => {
    const opened = await openFolder(values.folder, io);
    const volunteer = namedVolunteer(opened, name);
    const removed = volunteer.standing === 'member';
    const volunteers = opened.state.volunteers.map((each) => (each === volunteer ? { ...each, standing: 'removed' as const } : each));
    const folder = removed ? { ...opened, state: await commit(opened, { volunteers }) } : opened;
    const outdated = firstOutdated(folder, secondOf(io));
    const outdatedFrom = outdated === null ? null : dayOf(outdated);
    if (values.json === true) io.out(`${visibleJson({ alias: volunteer.alias, removed, outdatedFrom })}\n`);
    io.err(`${visibleLine(volunteer.alias)} ${removed ? 'is left out from now on' : 'was left out already, nothing to do'}.\n`);
    if (outdatedFrom !== null)
      io.err(`Keyrings from ${outdatedFrom} on name them still: support-relay admin season --again signs them anew.\n`);
    return EXIT.ok;
  },
});
