import type { DoorReason } from '../../crypto/wire.ts';
import type { PassedOver, Taken } from '../../redis/presence.ts';
import { limitsText, type HousekeepingState, type MixState } from '../../redis/state.ts';
import type { Relays } from '../relay.ts';
import type { Attention } from './attention.ts';

const SENDERS_KNOW = 'People who want to write are told so before they type';

/** A closed door that nobody closed on purpose: that one is MAINTENANCE. */
const DOOR: Record<Exclude<DoorReason, 'maintenance'>, string> = {
  keyring: 'it has no valid keyring: install one, and check that it verifies (RELAY_KEYRINGS, RELAY_ROOT_KEY)',
  redis: "it cannot write to Redis: look at Redis' log and disk, and at the relay's log",
  pool: 'the pool or the memory of Redis is full: check that the worker runs and that the inboxes take their letters',
  worker:
    "no worker has completed a round for an hour, or none of the relay's version has loaded the relay's functions: " +
    'start the worker, in the same version as the relay',
};

export function ofRelays({ asked, answers }: Relays, { keyringNewest, relayLimits }: Partial<MixState & HousekeepingState>): Attention[] {
  const list: Attention[] = [];
  if (asked === 0) {
    list.push({
      code: 'RELAY_AWAY',
      what: 'no relay is connected to Redis',
      advice: 'start the relay; its log says why it stopped. Until then nobody can reach the form',
    });
  } else if (answers.length < asked) {
    list.push({ code: 'RELAY_AWAY', what: 'a relay does not answer', advice: 'look at its log; if it hangs, restart it: nothing is lost' });
  }
  for (const reason of new Set(answers.map(({ door }) => door))) {
    if (reason !== null && reason !== 'maintenance')
      list.push({ code: 'DOOR_CLOSED', what: `the relay accepts nothing (${reason})`, advice: `${DOOR[reason]}. ${SENDERS_KNOW}` });
  }
  if (answers.some(({ newestKeyring }) => keyringNewest !== undefined && newestKeyring !== Number(keyringNewest))) {
    list.push({
      code: 'KEYRINGS_DIFFER',
      what: 'relay and worker do not have the same newest keyring',
      advice: 'give both the same keyrings (the worker first); after a change, look again one round later',
    });
  }
  const other = answers.map(({ limits }) => limitsText(limits)).find((limits) => relayLimits !== undefined && limits !== relayLimits);
  if (other !== undefined) {
    list.push({
      code: 'LIMITS_DIFFER',
      what: `relay and worker were told different limits (relay: ${other}, worker: ${relayLimits ?? ''})`,
      advice:
        'set both variables to the same values for both and restart them: ' +
        'the worker checks by them whether Redis has the memory that it may need',
    });
  }
  list.push(
    ...ofKeyringFiles(
      answers.flatMap(({ passedOver }) => passedOver),
      "the relay's",
    ),
  );
  if (answers.some(({ offlineFormEnded }) => offlineFormEnded)) {
    list.push({
      code: 'OFFLINE_FORM_ENDED',
      what: 'the keyrings in the offline form have expired',
      advice: "build the form again with this week's keyring and restart the relay",
    });
  }
  return list;
}

export function ofMaintenance(isDrained: boolean): Attention[] {
  if (!isDrained) return [];
  return [
    {
      code: 'MAINTENANCE',
      what: 'the door is closed for maintenance',
      advice: `${SENDERS_KNOW}. When you are done, open it: support-relay operator drain --end`,
    },
  ];
}

/** A rise of this many bits means that nearly the whole share of the week so far is used up (server/difficulty.ts). */
const MUCH_DEARER = 8;
const RAISE_LIMIT =
  'If there are that many honest requests, raise RELAY_SEEN_LIMIT for relays and worker. After a flood, a keyring with a new key of ' +
  'the worker starts from zero';

/** @param whose folder it is */
export function ofKeyringFiles(passedOver: readonly PassedOver[], whose: string): Attention[] {
  const names = [...new Set(passedOver.map(({ file, code }) => `${file}: ${code}`))].join(', ');
  if (names === '') return [];
  return [
    {
      code: 'KEYRING_FILES',
      what: `files in ${whose} folder of keyrings are passed over (${names})`,
      advice: 'copy them again as the administrator gave them, each with its .minisig, or move them away',
    },
  ];
}

/** A relay remembers a limited number of parcels for each key of the worker, which has to last for its week. */
export function ofTaken(taken: readonly Taken[]): Attention[] {
  return taken.flatMap(({ serial, share, dearer }): Attention[] => {
    if (share === 'full') {
      return [
        {
          code: 'KEYRING_FULL',
          what: `keyring ${String(serial)} has taken as many parcels as it may`,
          advice: `more are refused. ${RAISE_LIMIT}`,
        },
      ];
    }
    if (share === 'high') {
      return [
        {
          code: 'KEYRING_FILLING',
          what: `keyring ${String(serial)} has taken more than two thirds of the parcels that it may`,
          advice: `at the limit, more are refused. ${RAISE_LIMIT}`,
        },
      ];
    }
    if (dearer >= MUCH_DEARER) {
      const what =
        `keyring ${String(serial)} has taken nearly all the parcels that it may by this time of its week, ` +
        `and a stamp costs ${String(dearer)} bits more`;
      return [{ code: 'KEYRING_FILLING', what, advice: `stamps get cheaper by themselves as the week passes. ${RAISE_LIMIT}` }];
    }
    return [];
  });
}
