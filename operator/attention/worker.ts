import type { WorkerState } from '../../redis/keys.ts';
import { noticeAt } from '../../crypto/notice.ts';
import type { HousekeepingState, MixState } from '../../redis/state.ts';
import type { OperatorCommands } from '../../runtime/installation.ts';
import { setupKeyrings } from './gaps.ts';
import { inUtc } from '../moments.ts';
import { KEYS_EXPIRING_DAYS, nextKeys } from './ahead.ts';
import type { Attention } from './attention.ts';

/** As the worker names them (worker/obstacles.ts). Without any keyring it waits, and nothing is wrong with it. */
export const NO_KEYRING = 'no-keyring';
const REPLIES_FULL = 'replies-full';
const NEXT_KEY = 'next-key:';
/** What `REDIS_FILE` says already. */
const REWRITE_FAILED = 'aof:AOF_REWRITE';
const KEY_FILE = 'key-file:';
/** The rest of the warnings. */
const FILLING = /^(?:outbox|replies)-filling/;

/** What to do about a file as the worker names it at the end of its words: `key-mode:14:week-2026-11-30.txt`. */
function mending(problem: string, { state, tool }: OperatorCommands): string {
  const file = /:([^:]+\.txt)$/.exec(problem)?.[1];
  if (file !== undefined) return `in ${state}/worker/identities run: chown --reference=. ${file} && chmod 600 ${file}`;
  return (
    `copy the week files that belong to the card which the keyring was signed with into ${state}/worker/identities. If they are lost, ` +
    `make new ones: ${tool((inside) => `worker keys --out ${inside}/worker/identities --anew`)}; and have the administrator run: ` +
    `support-relay admin revoke --worker CARD. Once the new keyrings are in ${state}/keyrings, take those that name the lost keys out of it`
  );
}

export function ofWorker(worker: WorkerState | 'waiting', { restart, log }: OperatorCommands): Attention[] {
  switch (worker) {
    case 'gone':
      return [
        {
          code: 'WORKER_GONE',
          what: 'no worker has completed a round for an hour',
          advice: `see why it stopped: ${log('worker')}. Then: ${restart('worker')}. The form is closed until then`,
        },
      ];
    case 'late':
      return [
        {
          code: 'WORKER_LATE',
          what: 'the worker has missed three rounds',
          advice: `see what it says: ${log('worker')}. If it hangs: ${restart('worker')}; nothing is lost`,
        },
      ];
    case 'working':
    case 'waiting':
      return [];
  }
}

/** @param part `worker`: only what stops the worker's rounds */
export function ofMix(mix: Partial<MixState>, part: 'all' | 'worker', commands: OperatorCommands): Attention[] {
  const isWaiting = mix.paused === NO_KEYRING;
  const isPaused = isWaiting ? part === 'all' && mix.pool !== '0' : mix.paused;
  const advice = isWaiting ? `give it the keyrings: ${setupKeyrings(commands)}` : mending(mix.paused ?? '', commands);
  const paused: Attention[] = isPaused
    ? [{ code: 'MIX_PAUSED', what: `nothing leaves the pool (${mix.paused ?? ''})`, advice: `${advice}. Nothing is lost until then` }]
    : [];
  return part === 'worker' ? paused : [...paused, ...ofHoldups(mix), ...ofKeyrings(mix, commands)];
}

function ofHoldups({ held, pool, warnings }: Partial<MixState>): Attention[] {
  const list: Attention[] = [];
  const reasons = words(held);
  const letters = reasons.filter((reason) => reason !== REPLIES_FULL).join(' ');
  if (letters) {
    list.push({
      code: 'LETTERS_HELD',
      what: `letters of a team are held back (${letters})`,
      advice: 'repair this inbox, or give the worker an inbox for each team of this keyring; nothing is lost until then',
    });
  }
  if (reasons.includes(REPLIES_FULL)) {
    list.push({
      code: 'REPLIES_FULL',
      what: 'mailboxes hold as many answers as they may, and more are held back',
      advice:
        'raise WORKER_REPLY_LIMIT; if this came suddenly, ask the administrator whether a signer was stolen. ' +
        'Nothing is lost until then',
    });
  }
  const filling = words(warnings)
    .filter((warning) => FILLING.test(warning))
    .join(' ');
  if (filling) {
    list.push({
      code: 'FILLING',
      what: `letters or answers will soon be held back (${filling})`,
      advice: 'check that the inbox takes its letters; raise WORKER_OUTBOX_LIMIT or WORKER_REPLY_LIMIT if there really are that many',
    });
  }
  if (pool === '10000+') {
    list.push({
      code: 'POOL_DEEP',
      what: 'the pool holds 10,000 parcels or more',
      advice: 'check that the worker runs; in a flood stamps cost more by themselves (RELAY_DIFFICULTY)',
    });
  }
  return list;
}

function ofKeyrings({ keyring, keyringUntil, warnings }: Partial<MixState>, commands: OperatorCommands): Attention[] {
  const list: Attention[] = [];
  if (keyring === 'none') {
    list.push({
      code: 'KEYRING_NONE',
      what: 'no keyring is valid',
      advice: `take the administrator's: ${setupKeyrings(commands)}. The form is closed until then`,
    });
  }
  if (keyring === 'expiring') {
    const until = keyringUntil ? ` (${inUtc(keyringUntil)})` : '';
    list.push({
      code: 'KEYRING_EXPIRING',
      what: `the keyring expires within two days${until} and none follows`,
      advice: `ask the administrator for the next one today, then: ${setupKeyrings(commands)}`,
    });
  }
  for (const warning of words(warnings).filter((word) => word.startsWith(NEXT_KEY))) {
    list.push({
      code: 'KEY_NEXT',
      what: `the worker cannot use its key for a coming keyring (${warning.slice(NEXT_KEY.length)})`,
      advice: `${mending(warning, commands)}. Nothing pauses until that keyring begins`,
    });
  }
  for (const warning of words(warnings).filter((word) => word.startsWith(KEY_FILE))) {
    list.push({
      code: 'KEY_FILE',
      what: `a file in the worker's folder of keys cannot be used (${warning.slice(KEY_FILE.length)})`,
      advice: `${mending(warning, commands)}; or move it away, if it is no key`,
    });
  }
  return list;
}

export function ofKeys({ keysUntil }: Partial<HousekeepingState>, now: Date, commands: OperatorCommands): Attention[] {
  const days = keysUntil ? noticeAt(Date.parse(keysUntil), now.getTime()) : null;
  if (days === null || days > KEYS_EXPIRING_DAYS) return [];
  const what = `the worker's last key ends within a week (${inUtc(keysUntil ?? '')})`;
  return [{ code: 'KEYS_EXPIRING', what, advice: nextKeys(commands) }];
}

export function ofHousekeeping(state: Partial<HousekeepingState>, { log, restart }: OperatorCommands): Attention[] {
  const { housekeeping, memory, clockAheadDays, aof, redisSettings } = state;
  const list: Attention[] = [];
  if (clockAheadDays !== undefined && clockAheadDays !== '0') {
    list.push({
      code: 'CLOCK_AHEAD',
      what: `the worker's clock is ${clockAheadDays} days ahead of the time that it has run`,
      advice: 'after an outage that is right and passes by itself; otherwise set the clock. Until then keys and answers are kept longer',
    });
  }
  if (aof === 'failing') {
    list.push({
      code: 'REDIS_FILE',
      what: 'Redis does not write its file as it should',
      advice:
        `see whether its disk is full, and what it says: ${log('redis')}. ` +
        'Nothing new is accepted that would be lost; what is in Redis stays',
    });
  }
  const failing = words(housekeeping).filter((task) => !(aof === 'failing' && task === REWRITE_FAILED));
  if (failing.length > 0) {
    list.push({
      code: 'HOUSEKEEPING_FAILING',
      what: `the worker's housekeeping fails (${failing.join(' ')})`,
      advice:
        `after an upgrade restart Redis, which reads its users then: ${restart('redis')}. Otherwise see that its disk has room, that the ` +
        `worker may write to its folder of keys, and what it says: ${log('worker')}; ` +
        'it tries again each round. Until then, what should be deleted stays',
    });
  }
  if (redisSettings) {
    list.push({
      code: 'REDIS_SETTINGS',
      what: `Redis does not run with the settings that it must have (${redisSettings})`,
      advice: 'start it with deploy/redis/redis.conf as it is: that nothing is lost, and that nothing says when it came, rests on them',
    });
  }
  if (memory === 'filling') {
    list.push({
      code: 'MEMORY_FILLING',
      what: 'Redis has used four fifths of its memory',
      advice: 'look at what waits (pool, inboxes, dead letters); when memory is full, the form closes',
    });
  }
  return list;
}

const words = (text: string | undefined): string[] => (text ?? '').split(' ').filter((word) => word !== '');
