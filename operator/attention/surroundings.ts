import type { OperatorCommands } from '../../runtime/installation.ts';
import type { DiskState } from '../disk.ts';
import type { OnionState } from '../onion.ts';
import type { Surroundings } from '../surroundings.ts';
import type { Attention } from './attention.ts';

export function ofSurroundings({ disk, onion }: Surroundings, commands: OperatorCommands): Attention[] {
  return [...ofDisk(disk), ...ofOnion(onion, commands)];
}

export function ofDisk(disk: DiskState | null): Attention[] {
  if (disk === null || disk.free === '20-100 %') return [];
  const what = `${disk.free} of the disk is free`;
  if (disk.free === '0-5 %') {
    return [
      {
        code: 'DISK_FULL',
        what,
        advice:
          'make room now: when it is full, Redis stops and the form closes. What was accepted stays. ' +
          'Delete nothing in the folder of Redis',
      },
    ];
  }
  return [{ code: 'DISK_FILLING', what, advice: 'find out what grows (logs, backups, an inbox that nobody empties), and make room' }];
}

export function ofOnion(onion: OnionState | null, { setup, restart, log }: OperatorCommands): Attention[] {
  switch (onion) {
    case null:
    case 'reachable':
    case 'locked':
      return [];
    case 'no-tor':
      return [
        {
          code: 'TOR_AWAY',
          what: 'tor does not answer',
          advice:
            `see why it stopped: ${log('tor')}. Then: ${restart('tor')}. ` +
            'Until then nobody can reach the form, and mail waits that goes through tor',
        },
      ];
    case 'no-address':
      return [
        {
          code: 'ONION_UNREACHABLE',
          what: 'the onion address is not known here',
          advice: `run the setup again, which writes it down: ${setup()}`,
        },
      ];
    case 'no-network':
      return [
        {
          code: 'ONION_UNREACHABLE',
          what: 'tor runs, and has found no way into its network: nobody can reach the form',
          advice:
            `after a start wait some minutes. How far it is, “Bootstrapped” says: ${log('tor')}. If it stays below 100 %, see that the ` +
            'server’s clock is right and that its firewall lets tor out to any address; where Tor is blocked, it needs bridges',
        },
      ];
    case 'unreachable':
      return [
        {
          code: 'ONION_UNREACHABLE',
          what: 'the onion address leads nowhere, though tor answers',
          advice:
            'wait half an hour after a start, since tor first has to announce the address; then look at the clock, ' +
            `whether the relay runs, and at what tor says: ${log('tor')}`,
        },
      ];
  }
}

/** Two parts whose versions differ work as long as what they say to each other has not changed; nobody tests that. */
export function ofVersions(own: string, others: readonly string[]): Attention[] {
  const different = [...new Set(others.filter((version) => version !== own))];
  if (different.length === 0) return [];
  return [
    {
      code: 'VERSIONS_DIFFER',
      what: `parts of version ${different.toSorted().join(', ')} run beside ${own}`,
      advice: 'finish the upgrade: restart all parts from the same version',
    },
  ];
}
