import type { DoorReason } from '../../crypto/wire.ts';
import type { OperatorCommands } from '../../runtime/installation.ts';
import { defineCommand } from '../command.ts';
import { EXIT } from '../errors.ts';
import { closeDoor, openDoor, waitUntilEmptied } from '../operating/drain.ts';
import { REDIS_HELP, REDIS_OPTIONS, redisOptionsFrom, withRedis } from '../operating/redis.ts';
import { visibleJson } from '../terminal/terminal.ts';

const NAME = 'operator drain';

const emptied = ({ stop, start, tool }: OperatorCommands): string => `Nothing is on its way any more: the parts may be stopped.
  ${stop}
When you are done, start them and open the door:
  ${start}
  ${tool(() => 'operator drain --end')}
`;

/** What keeps a door closed that nobody keeps closed any more. */
function stillClosed(doors: readonly (DoorReason | null)[], { status, log }: OperatorCommands): string {
  const reasons = [...new Set(doors.map((door) => door ?? 'open'))].join(', ') || 'no relay answers';
  const what = `The maintenance is over, but the door is not open (${reasons})`;
  return doors.length > 0 && doors.every((door) => door === null || door === 'worker')
    ? `${what}: it opens by itself when the worker has done a round. If that takes longer than five minutes: ${log('worker')}\n`
    : `${what}. What to do says: ${status}\n`;
}

export const operatorDrain = defineCommand({
  name: NAME,
  summary: 'Close the door for maintenance, and wait until nothing is on its way',
  usage: '[--end] [--redis-socket PATH] [options]',
  examples: ['support-relay operator drain --redis-socket /run/support-relay/redis.sock', 'support-relay operator drain --end'],
  details: `
Closes the door: the form says, before anyone types, that you are working on the server. Then waits until the pool and every
outbox are empty, which takes some rounds, and says so. The door stays closed, also when parts are stopped and started,
until --end opens it. Ctrl-C ends the waiting alone. Nothing is lost if you stop without waiting: what is on its way is on
disk, and goes on when the parts are started again.

Ends with 0 when all is empty, or after --end when the door is open; with 5 when it stays closed for another reason, or when
somebody opened it while this waited; with 130 after Ctrl-C. Just after a start, --end waits for the worker's first round.

  --end                 open the door again
${REDIS_HELP}
  --json                one line of JSON at the end: maintenance (emptied, or no), and after --end doors (null, or the reason
                        for which a relay takes nothing)`,
  options: { ...REDIS_OPTIONS, end: { type: 'boolean' }, json: { type: 'boolean' } },
  run: (values, _positionals, io) => {
    const target = redisOptionsFrom(values, io, NAME);
    return withRedis(target, async (redis) => {
      const say = (json: object, text: string): void => io.out(values.json === true ? `${visibleJson(json)}\n` : text);
      if (values.end !== true) {
        await closeDoor(redis, io);
        await waitUntilEmptied(redis, io);
        say({ maintenance: 'emptied' }, emptied(target.commands));
        return EXIT.ok;
      }
      const doors = await openDoor(redis, io);
      const isOpen = doors.length > 0 && doors.every((door) => door === null);
      say({ maintenance: 'no', doors }, isOpen ? 'The door is open.\n' : stillClosed(doors, target.commands));
      return isOpen ? EXIT.ok : EXIT.attention;
    });
  },
});
