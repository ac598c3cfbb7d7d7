import { join, relative } from 'node:path';
import { commandsOf } from '../../runtime/installation.ts';
import { insistOnYes } from '../administering/consent.ts';
import { lookAtAof, type AofCondition } from '../operating/aof.ts';
import { cutEnd, insistOnStopped } from '../operating/aof-repair.ts';
import { defineCommand, required } from '../command.ts';
import { CliError, EXIT } from '../errors.ts';
import { visibleJson, visibleLine } from '../terminal/terminal.ts';

const NAME = 'operator repair';
/** Of the state, in both kinds of installation. */
const REDIS_DATA = 'redis/data';

export const operatorRepair = defineCommand({
  name: NAME,
  summary: "Cut a damaged end off Redis' append-only file, so that Redis starts again",
  usage: '--redis-data DIR [--redis-socket PATH] [--yes] [--lose COUNT] [--json]',
  examples: [
    'support-relay operator repair --redis-data /var/lib/support-relay/redis/data --redis-socket /run/support-relay/redis.sock',
    'docker compose run --rm tools operator repair --redis-data /state/redis/data --redis-socket /state/run/redis/redis.sock',
  ],
  details: `
After a power cut the end of the file may be zeros or junk: Redis refuses to start, and nothing more is accepted. Everything
that was accepted lies before that end. This looks, says what it found, asks, copies the file, and cuts the end off. Where
whole commands follow the damage it cuts nothing: these may have been accepted. Redis must be stopped.

  --redis-data DIR     Redis' folder, with appendonlydir in it
  --redis-socket PATH  where Redis would answer, to see that it is stopped; what OPERATOR_REDIS_SOCKET says if left out
  --yes                for scripts: cut without asking
  --lose COUNT         cut though COUNT whole commands follow the damage, and lose them; COUNT as it was said
  --json               one line of JSON: file, size, good (bytes that stay), behind (whole commands in the rest), copy (null:
                       nothing was cut)`,
  options: {
    'redis-data': { type: 'string' },
    'redis-socket': { type: 'string' },
    yes: { type: 'boolean' },
    lose: { type: 'string' },
    json: { type: 'boolean' },
  },
  run: async (values, _positionals, io) => {
    const data = required(values['redis-data'], 'redis-data', NAME);
    const socket = required(values['redis-socket'] ?? io.places.OPERATOR_REDIS_SOCKET, 'redis-socket', NAME);
    await insistOnStopped(socket);
    const found = await lookAtAof(data);
    let copy: string | null = null;
    if (found !== null && found.good < found.size) {
      io.err(`${described(found)}\n`);
      if (found.behind > 0 && values.lose !== String(found.behind)) throw inTheMiddle(found);
      await insistOnYes(`Copy the file to ${visibleLine(join(data, 'damaged'))}, and cut these bytes off?`, values.yes === true, io);
      await insistOnStopped(socket);
      copy = await cutEnd(data, found);
    }
    if (values.json === true) {
      const { path: file = null, size = 0, good = 0, behind = 0 } = found ?? {};
      io.out(`${visibleJson({ file, size, good, behind, copy })}\n`);
    } else if (copy === null)
      io.err('All commands in the file are whole: there is nothing to cut. If Redis does not start, read its log.\n');
    else {
      const { state, start, status } = commandsOf(io.places.OPERATOR_INSTALLATION);
      // In a container the folder has another name than on the server.
      const kept = io.places.OPERATOR_INSTALLATION === undefined ? copy : `${state}/${REDIS_DATA}/${relative(data, copy)}`;
      io.err(`Done. The file as it was is ${visibleLine(kept)}. Now: ${start}; and look at: ${status}\n`);
      io.err(`When all is well, delete the copy, which holds sealed letters: shred -u ${visibleLine(kept)}\n`);
    }
    return EXIT.ok;
  },
});

function described({ path, size, good, behind }: AofCondition): string {
  const place = `${visibleLine(path)} has ${String(size)} bytes. The last ${String(size - good)} of them are no whole command`;
  return behind === 0 ? `${place}, and nothing whole is among them.` : `${place} or follow the damage: ${String(behind)} whole commands.`;
}

function inTheMiddle({ path, behind }: AofCondition): CliError {
  const what = `${path} is damaged in the middle: ${String(behind)} whole commands follow, which may have been accepted`;
  const advice = `keep a copy of the whole folder and ask somebody who knows Redis, or lose them with --lose ${String(behind)}`;
  return new CliError('AOF_DAMAGED', what, `${advice}; nothing was cut`);
}
