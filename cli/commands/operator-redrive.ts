import { inboxes, redrive } from '../../operator/redrive.ts';
import { defineCommand, required } from '../command.ts';
import { CliError, EXIT } from '../errors.ts';
import { REDIS_HELP, REDIS_OPTIONS, withRedis } from '../redis.ts';
import { visibleJson, visibleLine } from '../terminal.ts';
import { step } from '../../store/state.ts';

const NAME = 'operator redrive';

export const operatorRedrive = defineCommand({
  name: NAME,
  summary: "Put an inbox's dead letters back into its outbox",
  usage: 'INBOX --redis-socket PATH [--user NAME] [--password-file FILE] [--json]',
  details: `
Letters that INBOX refused for good are tried again from the next round on. Repair what was wrong with it first. It can
be stopped and run again at any moment: no letter is lost by it.

${REDIS_HELP}
  --json                one line of JSON: inbox, moved (a coarse step)

Example: support-relay operator redrive inbox-1 --redis-socket /run/support-relay/redis.sock`,
  options: { ...REDIS_OPTIONS, json: { type: 'boolean' } },
  arguments: [1, 1],
  run: async (values, [inbox = ''], io) => {
    const target = { socketPath: required(values['redis-socket'], 'redis-socket', NAME), user: values.user, passwordFile: values['password-file'] };
    const moved = await withRedis(target, async (redis) => {
      const known = await inboxes(redis);
      if (!known.includes(inbox)) {
        throw new CliError('INBOX_UNKNOWN', `there is no inbox "${inbox}"`, known.length === 0 ? 'start the worker first' : `there are: ${known.join(', ')}`);
      }
      return step(await redrive(redis, inbox));
    });
    io.out(values.json === true ? `${visibleJson({ inbox, moved })}\n` : `${visibleLine(inbox)}: ${moved} letters go out again\n`);
    return EXIT.ok;
  },
});
