import { openFolder } from '../administering/folder.ts';
import { secondOf } from '../administering/signing.ts';
import { statusLines, statusOf } from '../administering/status.ts';
import { NOTICE_DAYS } from '../../crypto/notice.ts';
import { defineCommand } from '../command.ts';
import { EXIT } from '../errors.ts';
import { visibleJson } from '../terminal/terminal.ts';

export const adminStatus = defineCommand({
  name: 'admin status',
  summary: 'Say until when keyrings are signed, whose card runs out when, and what to ask of whom',
  usage: '[--folder DIR] [--json]',
  examples: ['support-relay admin status --folder /media/admin'],
  details: `
Checks the whole folder, and says what is to be done, ${NOTICE_DAYS.map(String).join(', ')} days before it is too late. Needs no
passphrase. Ends with 0 when there is nothing to do, with 5 otherwise.

  --folder DIR            the administrator's folder; the current directory if left out
  --json                  one line of JSON: today, rootKey, coveredUntil, keyrings, people, worker, release, emptyTeams,
                          tasks (each: who, what, by, days, words)`,
  options: { folder: { type: 'string', default: '.' }, json: { type: 'boolean' } },
  run: async (values, _positionals, io) => {
    const status = statusOf(await openFolder(values.folder, io), secondOf(io));
    io.out(values.json === true ? `${visibleJson(status)}\n` : `${statusLines(status).join('\n')}\n`);
    return status.tasks.length === 0 ? EXIT.ok : EXIT.attention;
  },
});
