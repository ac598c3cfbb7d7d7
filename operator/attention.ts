// Everything that an operator has to do something about: what it is, and what to do.
import type { WorkerState } from '../redis/keys.ts';
import type { RelayAnswer, Taken } from '../redis/presence.ts';
import type { AlarmingDrop } from '../redis/drops.ts';
import { limitsText, type HousekeepingState, type InboxTrouble, type MixState, type Magnitude } from '../redis/state.ts';
import type { Relays } from './relay.ts';

type Code =
  | 'RELAY_AWAY'
  | 'DOOR_CLOSED'
  | 'OFFLINE_FORM_ENDED'
  | 'KEYRINGS_DIFFER'
  | 'LIMITS_DIFFER'
  | 'KEYRING_FILLING'
  | 'KEYRING_FULL'
  | 'WORKER_GONE'
  | 'WORKER_LATE'
  | 'MIX_PAUSED'
  | 'LETTERS_HELD'
  | 'REPLIES_FULL'
  | 'FILLING'
  | 'KEYRING_NONE'
  | 'KEYRING_EXPIRING'
  | 'KEY_NEXT'
  | 'POOL_DEEP'
  | 'PARCELS_DAMAGED'
  | 'PARCELS_UNOPENABLE'
  | 'PARCELS_FAILED'
  | 'HOUSEKEEPING_FAILING'
  | 'MEMORY_FILLING'
  | 'INBOX_FAILING'
  | 'INBOX_DEFERRING'
  | 'INBOX_UNCONFIGURED'
  | 'INBOX_DEAD'
  | 'INBOX_BACKLOG';
export type Attention = { code: Code; what: string; advice: string };
export type InboxStatus = { id: string; waiting: Magnitude; dead: Magnitude };

/** As the worker names it (worker/obstacles.ts). */
const REPLIES_FULL = 'replies-full';
const NEXT_KEY = 'next-key:';
const BACKLOG: readonly Magnitude[] = ['1000-9999', '10000+'];
const SENDERS_KNOW = 'Whoever wants to write is told so before typing';

const DOOR: Record<NonNullable<RelayAnswer['door']>, string> = {
  keyring: 'it has no keyring that is valid: install it, and see that it verifies (RELAY_KEYRINGS, RELAY_ROOT_KEY)',
  redis: "Redis takes nothing from it: look at Redis' log, its disk and the relay's log",
  pool: 'the pool or the memory of Redis is full: see that the worker runs and that the inboxes take their letters',
  worker:
    'no worker has done a round for an hour, or none of its version has given Redis its functions: start the worker, of the same version as the relay',
};

export function ofRelays({ asked, answers }: Relays, { keyringNewest, relayLimits }: Partial<MixState & HousekeepingState>): Attention[] {
  const list: Attention[] = [];
  if (asked === 0) {
    list.push({
      code: 'RELAY_AWAY',
      what: 'no relay is connected to Redis',
      advice: 'start the relay; its log says why it ended. The form cannot be reached meanwhile',
    });
  } else if (answers.length < asked) {
    list.push({
      code: 'RELAY_AWAY',
      what: 'a relay does not answer',
      advice: 'look at its log; if it hangs, restart it: nothing is lost by that',
    });
  }
  for (const reason of new Set(answers.map(({ door }) => door))) {
    if (reason !== null)
      list.push({ code: 'DOOR_CLOSED', what: `the relay takes nothing (${reason})`, advice: `${DOOR[reason]}. ${SENDERS_KNOW}` });
  }
  if (answers.some(({ newestKeyring }) => keyringNewest !== undefined && newestKeyring !== Number(keyringNewest))) {
    list.push({
      code: 'KEYRINGS_DIFFER',
      what: 'relay and worker do not have the same newest keyring',
      advice: 'give both the same keyrings (the worker first); after a change, look again in a round',
    });
  }
  const other = answers.map(({ limits }) => limitsText(limits)).find((limits) => relayLimits !== undefined && limits !== relayLimits);
  if (other !== undefined) {
    list.push({
      code: 'LIMITS_DIFFER',
      what: `relay and worker were told different limits (relay: ${other}, worker: ${relayLimits ?? ''})`,
      advice: 'set both variables alike for both and restart them: by them the worker looks whether Redis has the memory that it may need',
    });
  }
  if (answers.some(({ offlineFormEnded }) => offlineFormEnded)) {
    list.push({
      code: 'OFFLINE_FORM_ENDED',
      what: 'the keyrings in the offline form have ended',
      advice: "build the form again with this week's keyring and restart the relay",
    });
  }
  return list;
}

/** From so many bits on nearly all came that may by now (server/difficulty.ts). */
const MUCH_DEARER = 8;
const RAISE_LIMIT =
  'If honest requests alone are that many, raise RELAY_SEEN_LIMIT, for relays and worker. After a flood a new keyring begins anew';

/** What relays remember of a keyring has to last for its week. */
export function ofTaken(taken: readonly Taken[]): Attention[] {
  return taken.flatMap(({ serial, share, dearer }): Attention[] => {
    if (share === 'full') {
      return [
        {
          code: 'KEYRING_FULL',
          what: `as many parcels came under keyring ${String(serial)} as may`,
          advice: `further ones are refused. ${RAISE_LIMIT}`,
        },
      ];
    }
    if (share === 'high') {
      return [
        {
          code: 'KEYRING_FILLING',
          what: `more than two thirds of the parcels came that may under keyring ${String(serial)}`,
          advice: `when all have come, further ones are refused. ${RAISE_LIMIT}`,
        },
      ];
    }
    if (dearer >= MUCH_DEARER) {
      const what = `nearly all parcels came that may by now under keyring ${String(serial)}, and a stamp costs ${String(dearer)} bits more`;
      return [{ code: 'KEYRING_FILLING', what, advice: `it gets cheaper by itself as the week passes. ${RAISE_LIMIT}` }];
    }
    return [];
  });
}

export function ofWorker(worker: WorkerState): Attention[] {
  switch (worker) {
    case 'gone':
      return [
        {
          code: 'WORKER_GONE',
          what: 'no worker has done a round for an hour',
          advice: 'start the worker; its log says why it ended. The form is closed meanwhile',
        },
      ];
    case 'late':
      return [
        {
          code: 'WORKER_LATE',
          what: 'the worker has missed three rounds',
          advice: "look at the worker's log; if it hangs, restart it: nothing is lost by that",
        },
      ];
    case 'working':
      return [];
  }
}

/** @param part `worker`: only what keeps its rounds from going through */
export function ofMix(mix: Partial<MixState>, part: 'all' | 'worker'): Attention[] {
  const paused: Attention[] = mix.paused
    ? [
        {
          code: 'MIX_PAUSED',
          what: `nothing leaves the pool (${mix.paused})`,
          advice:
            'give the worker the keyring or the key of this serial, owned by its user and readable by it alone; nothing is lost meanwhile',
        },
      ]
    : [];
  return part === 'worker' ? paused : [...paused, ...ofHoldups(mix), ...ofKeyrings(mix)];
}

function ofHoldups({ held, pool, warnings }: Partial<MixState>): Attention[] {
  const list: Attention[] = [];
  const reasons = words(held);
  const letters = reasons.filter((reason) => reason !== REPLIES_FULL).join(' ');
  if (letters) {
    list.push({
      code: 'LETTERS_HELD',
      what: `letters of a team are held back (${letters})`,
      advice: 'repair this inbox, or give the worker an inbox for each team of this keyring; nothing is lost meanwhile',
    });
  }
  if (reasons.includes(REPLIES_FULL)) {
    list.push({
      code: 'REPLIES_FULL',
      what: 'as many answers wait in mailboxes as may, and further ones are held back',
      advice: 'raise WORKER_REPLY_LIMIT; if it came suddenly, ask the administrator whether a signer was stolen. Nothing is lost meanwhile',
    });
  }
  const filling = words(warnings)
    .filter((warning) => !warning.startsWith(NEXT_KEY))
    .join(' ');
  if (filling) {
    list.push({
      code: 'FILLING',
      what: `soon something is held back (${filling})`,
      advice: 'see that the inbox takes its letters; raise WORKER_OUTBOX_LIMIT or WORKER_REPLY_LIMIT if there are that many',
    });
  }
  if (pool === '10000+') {
    list.push({
      code: 'POOL_DEEP',
      what: 'the pool holds 10,000 parcels or more',
      advice: 'see that the worker runs; a flood raises the stamp: RELAY_DIFFICULTY',
    });
  }
  return list;
}

function ofKeyrings({ keyring, keyringUntil, warnings }: Partial<MixState>): Attention[] {
  const list: Attention[] = [];
  if (keyring === 'none') {
    list.push({
      code: 'KEYRING_NONE',
      what: 'no keyring is valid',
      advice: "install the administrator's next keyring. The form is closed meanwhile",
    });
  }
  if (keyring === 'expiring') {
    const until = keyringUntil ? ` (${keyringUntil})` : '';
    list.push({
      code: 'KEYRING_EXPIRING',
      what: `the keyring ends within two days${until} and none follows`,
      advice: 'ask the administrator for the next one',
    });
  }
  for (const warning of words(warnings).filter((word) => word.startsWith(NEXT_KEY))) {
    list.push({
      code: 'KEY_NEXT',
      what: `the worker cannot use its key of a keyring that has yet to begin (${warning.slice(NEXT_KEY.length)})`,
      advice:
        'give the worker the key of this serial, owned by its user and readable by it alone, before the keyring begins: then nothing would leave the pool',
    });
  }
  return list;
}

const DROPS: Record<AlarmingDrop, Omit<Attention, 'what'> & { kind: string }> = {
  damaged: {
    code: 'PARCELS_DAMAGED',
    kind: 'damaged',
    advice: 'the relay takes only whole ones: find out who else can write to Redis, and whether its disk and memory are sound',
  },
  unopenable: {
    code: 'PARCELS_UNOPENABLE',
    kind: 'opened by no key of this worker',
    advice: "compare the worker's keyrings and keys with the relay's; if they agree, somebody sealed to a key of their own",
  },
  error: {
    code: 'PARCELS_FAILED',
    kind: 'too much for the worker',
    advice: "report it with the code of the worker's log (parcel-error): they may have been requests",
  },
};

export function ofDrops(drops: readonly AlarmingDrop[]): Attention[] {
  return drops.map((drop) => {
    const { code, kind, advice } = DROPS[drop];
    return { code, what: `parcels were dropped within the last day because they were ${kind}`, advice };
  });
}

export function ofHousekeeping({ housekeeping, memory }: Partial<HousekeepingState>): Attention[] {
  const list: Attention[] = [];
  if (housekeeping) {
    list.push({
      code: 'HOUSEKEEPING_FAILING',
      what: `the worker's housekeeping fails (${housekeeping})`,
      advice:
        'see that Redis has the users of this version and room on its disk, and that the worker may write to its folder of keys; it tries again each round. Meanwhile what should be forgotten is not',
    });
  }
  if (memory === 'filling') {
    list.push({
      code: 'MEMORY_FILLING',
      what: 'Redis has used four fifths of its memory',
      advice: 'see to what waits (pool, inboxes, dead letters); when it is full the form closes',
    });
  }
  return list;
}

export function ofInbox({ id, waiting, dead }: InboxStatus, trouble: (inbox: string, trouble: InboxTrouble) => string | null): Attention[] {
  const list: Attention[] = [];
  const [failing, deferring] = [trouble(id, 'failing'), trouble(id, 'deferring')];
  if (failing !== null) {
    list.push({
      code: 'INBOX_FAILING',
      what: `inbox ${id} takes nothing at the moment (${failing})`,
      advice: 'see that its server or disk is there (docs/operations.md has the reasons); the worker tries again by itself',
    });
  }
  if (deferring !== null) {
    list.push({
      code: 'INBOX_DEFERRING',
      what: `inbox ${id} refuses some letters, which wait (${deferring})`,
      advice: 'see what its server has against them (docs/operations.md has the reasons); the worker tries again by itself',
    });
  }
  if (trouble(id, 'unconfigured') !== null) {
    list.push({
      code: 'INBOX_UNCONFIGURED',
      what: `letters wait for inbox ${id}, which no worker has`,
      advice: 'put it back into inboxes.json until it is empty',
    });
  }
  if (dead !== '0') {
    list.push({
      code: 'INBOX_DEAD',
      what: `inbox ${id} refused letters for good (${dead})`,
      advice: `look at them: support-relay operator dead list. Repair the inbox (address, disk, quota), then: support-relay operator redrive ${id}`,
    });
  }
  if (BACKLOG.includes(waiting)) {
    list.push({
      code: 'INBOX_BACKLOG',
      what: `inbox ${id} has ${waiting} letters waiting`,
      advice: 'see that its server is up, reachable, and fast enough',
    });
  }
  return list;
}

const words = (text: string | undefined): string[] => (text ?? '').split(' ').filter((word) => word !== '');
