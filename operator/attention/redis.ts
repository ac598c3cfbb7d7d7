import type { OperatorCommands } from '../../runtime/installation.ts';
import type { Attention } from './attention.ts';

export const redisDamaged = ({ stop, start, tool }: OperatorCommands): Attention => ({
  code: 'REDIS_DAMAGED',
  what: 'Redis does not load its append-only file, whose end is damaged: the form is closed',
  advice:
    `${stop}; then: ${tool((state) => `operator repair --redis-data ${state}/redis/data`)}; then: ${start}. ` +
    'Never delete the file: what was accepted is in it',
});

export function redisAway(code: string, { restart, log }: OperatorCommands): Attention {
  return {
    code: 'REDIS_AWAY',
    what: `Redis does not answer as it should (${code})`,
    advice:
      `see why it stopped: ${log('redis')}. Then: ${restart('redis')}. The form is closed until then. ` +
      'What was accepted is in its file',
  };
}
