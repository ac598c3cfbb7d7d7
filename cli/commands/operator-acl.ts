import { writeAcl } from '../operating/acl.ts';
import { defineCommand, required } from '../command.ts';
import { EXIT } from '../errors.ts';
import { visibleJson, visibleLine } from '../terminal/terminal.ts';

const NAME = 'operator acl';

export const operatorAcl = defineCommand({
  name: NAME,
  summary: "Make Redis' users and their passwords",
  usage: '--out DIR [--json]',
  examples: ['support-relay operator acl --out /etc/support-relay/redis'],
  details: `
Writes DIR/users.acl for redis-server (--aclfile) and DIR/relay.password, DIR/worker.password and DIR/operator.password,
each readable by you alone: give each program only its own password. Nothing is overwritten.

  --out DIR  where to put them
  --json     one line of JSON: aclFile, passwordFiles`,
  options: { out: { type: 'string' }, json: { type: 'boolean' } },
  run: async (values, _positionals, io) => {
    const made = await writeAcl({ directory: required(values.out, 'out', NAME) });
    if (values.json === true) io.out(`${visibleJson(made)}\n`);
    else io.out([made.aclFile, ...Object.values(made.passwordFiles)].map((file) => `${visibleLine(file)}\n`).join(''));
    return EXIT.ok;
  },
});
