import { defineCommand } from '../command.ts';
import { REDIS_HELP, REDIS_OPTIONS } from '../operating/redis.ts';
import { operatorDead } from './operator-dead.ts';

const NAME = 'operator redrive';

export const operatorRedrive = defineCommand({
  name: NAME,
  summary: "Put an inbox's dead letters back into its outbox",
  usage: 'INBOX --redis-socket PATH [--user NAME] [--password-file FILE] [--json]',
  examples: ['support-relay operator redrive inbox-1 --redis-socket /run/support-relay/redis.sock'],
  details: `
The same as: support-relay operator dead redrive INBOX. Letters that INBOX refused for good are tried again from the next
round on. Repair the inbox first. The command can be stopped and run again at any time: no letter is lost.

${REDIS_HELP}
  --json                one line of JSON: inbox, moved (a coarse step)`,
  options: { ...REDIS_OPTIONS, json: { type: 'boolean' } },
  arguments: [1, 1],
  run: (values, [inbox = ''], io) => {
    const json = values.json === true ? ['--json'] : [];
    const socket = values['redis-socket'] === undefined ? [] : ['--redis-socket', values['redis-socket']];
    return operatorDead.run(['redrive', inbox, ...socket, '--user', values.user, '--password-file', values['password-file'], ...json], io);
  },
});
