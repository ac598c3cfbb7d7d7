import type { DiskState } from '../disk.ts';
import type { OnionState } from '../onion.ts';
import type { Attention } from './attention.ts';

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

export function ofOnion(onion: OnionState | null): Attention[] {
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
          advice: 'start tor; its log says why it stopped. Until then nobody can reach the form, and mail waits that goes through tor',
        },
      ];
    case 'no-address':
      return [
        {
          code: 'ONION_UNREACHABLE',
          what: 'the onion address is not known here',
          advice: 'run the setup again: it writes the address down (state/onion/address)',
        },
      ];
    case 'unreachable':
      return [
        {
          code: 'ONION_UNREACHABLE',
          what: 'the onion address leads nowhere, though tor answers',
          advice:
            'wait half an hour after a start, since tor first has to announce the address; then look at tor’s log, at the clock, ' +
            'and whether the relay runs',
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
