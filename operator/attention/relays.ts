import type { DoorReason } from '../../crypto/wire.ts';
import type { PassedOver, Taken } from '../../redis/presence.ts';
import { limitsText, type HousekeepingState, type MixState } from '../../redis/state.ts';
import type { OperatorCommands } from '../../runtime/installation.ts';
import type { Relays } from '../relay.ts';
import type { Attention } from './attention.ts';
import { setupKeyrings } from './gaps.ts';

const SENDERS_KNOW = 'People who want to write are told so before they type';

/** A closed door that nobody closed on purpose: that one is MAINTENANCE. */
const doorWords = (commands: OperatorCommands): Record<Exclude<DoorReason, 'maintenance'>, { what: string; advice: string }> => ({
  keyring: {
    what: 'it has no keyring that is valid today',
    advice: `get this week's from the administrator, then: ${setupKeyrings(commands)}`,
  },
  redis: { what: 'it cannot write to Redis', advice: `see whether the disk is full, and what Redis says: ${commands.log('redis')}` },
  pool: { what: 'the pool, or the memory of Redis, is full', advice: 'see that the worker runs and that the inboxes take their letters' },
  worker: {
    what: 'no worker of its version has done a round for an hour, or since Redis was started',
    advice: `see what the worker says: ${commands.log('worker')}. If it hangs: ${commands.restart('worker')}`,
  },
});

export function ofRelays(
  { asked, answers }: Relays,
  { keyringNewest, relayLimits }: Partial<MixState & HousekeepingState>,
  commands: OperatorCommands,
): Attention[] {
  const { setup, restart, log } = commands;
  const list: Attention[] = [];
  if (asked === 0) {
    list.push({
      code: 'RELAY_AWAY',
      what: 'no relay is connected to Redis',
      advice: `see why it stopped: ${log('relay')}. Then: ${restart('relay')}. Until then nobody can reach the form`,
    });
  } else if (answers.length < asked) {
    const advice = `see what it says: ${log('relay')}. If it hangs: ${restart('relay')}; nothing is lost`;
    list.push({ code: 'RELAY_AWAY', what: 'a relay does not answer', advice });
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
      advice: `build the form again with this week's keyring: ${setup(' --form')}; then: ${restart('relay')}`,
    });
  }
  return list;
}

/** @param isNew no keyring has ever come, which is said already */
export function ofDoor(reasons: readonly DoorReason[], isNew: boolean, commands: OperatorCommands): Attention[] {
  return reasons.flatMap((reason): Attention[] => {
    if (reason === 'maintenance' || (isNew && reason === 'keyring')) return [];
    const { what, advice } = doorWords(commands)[reason];
    return [{ code: 'DOOR_CLOSED', what: `the relay takes nothing: ${what} (${reason})`, advice: `${advice}. ${SENDERS_KNOW}` }];
  });
}

export function ofMaintenance(isDrained: boolean, { tool }: OperatorCommands): Attention[] {
  if (!isDrained) return [];
  return [
    {
      code: 'MAINTENANCE',
      what: 'the door is closed for maintenance',
      advice: `${SENDERS_KNOW}. When you are done, open it: ${tool(() => 'operator drain --end')}`,
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
