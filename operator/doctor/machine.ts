// What the kernel may write to a disk of what stands in memory, and what no program can see from here.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ailment, Examined, Unseen } from './complaint.ts';

/** Handlers that throw the dump away. */
const NOWHERE = new Set(['', '|/bin/false', '|/usr/bin/false', '|/bin/true', '|/usr/bin/true']);

const NEVER_SEEN: readonly Unseen[] = [
  { what: 'whether the disk is encrypted', how: 'on the server: lsblk; what holds the state should stand below a line of type crypt' },
  { what: 'whether a time service sets the clock', how: 'on the server: timedatectl; it should say “System clock synchronized: yes”' },
];

/** Redis warns of it in its log at each start. It forks in every round, to write its file anew. */
const OVERCOMMIT =
  'Redis makes a copy of itself in every round, which Linux may refuse it when memory is short. On the server: ' +
  'echo "vm.overcommit_memory=1" > /etc/sysctl.d/50-overcommit.conf && sysctl --system';

/** @param root of the file system */
export async function examineMachine(root = '/'): Promise<Examined> {
  const read = (path: string): Promise<string | null> => readFile(join(root, path), 'utf8').catch(() => null);
  const [swaps, swapMax, pattern, limits, overcommit] = await Promise.all(
    [
      'proc/swaps',
      'sys/fs/cgroup/memory.swap.max',
      'proc/sys/kernel/core_pattern',
      'proc/self/limits',
      'proc/sys/vm/overcommit_memory',
    ].map(read),
  );
  const isKnown = (text: string | null | undefined): text is string => text !== null && text !== undefined;
  return {
    ailments: [
      ...(isKnown(swaps) ? ofSwap(swaps, swapMax?.trim() === '0') : []),
      ...(isKnown(pattern) && isKnown(limits) ? ofCoreDumps(pattern.trim(), limits) : []),
    ],
    hints: overcommit === null || overcommit?.trim() === '1' ? [] : [OVERCOMMIT],
    seen: [...(isKnown(swaps) ? ['swap'] : []), ...(isKnown(pattern) && isKnown(limits) ? ['core dumps'] : [])],
    unseen: [
      ...(isKnown(swaps) ? [] : [{ what: 'swap', how: 'on the server: swapon --show should print nothing' }]),
      ...(isKnown(pattern) && isKnown(limits)
        ? []
        : [{ what: 'core dumps', how: 'on the server: cat /proc/sys/kernel/core_pattern; ulimit -c' }]),
      ...NEVER_SEEN,
    ],
  };
}

/** @param isForbidden this container may not be swapped out, and neither may the others, which have the same limits */
function ofSwap(swaps: string, isForbidden: boolean): Ailment[] {
  const devices = swaps
    .split('\n')
    .slice(1)
    .flatMap((line) => /^(\S+)/.exec(line)?.[1] ?? [])
    // In memory, compressed.
    .filter((device) => !device.startsWith('/dev/zram'));
  if (devices.length === 0 || isForbidden) return [];
  return [
    {
      code: 'SWAP_ON',
      what: `memory may be written to a disk (swap on ${devices.join(', ')}), and keys and passwords with it`,
      advice: 'switch it off: swapoff --all, and take its lines out of /etc/fstab; or encrypt it with a key that is made at each start',
    },
  ];
}

function ofCoreDumps(pattern: string, limits: string): Ailment[] {
  if (NOWHERE.has(pattern)) return [];
  const [, limit] = /^Max core file size\s+(\S+)/m.exec(limits) ?? [];
  // The limit holds for files alone: a program that dumps are handed to gets them all the same (core(5)).
  if (!pattern.startsWith('|') && limit === '0') return [];
  return [
    {
      code: 'CORE_DUMPS',
      what: `a program that crashes leaves its memory behind (kernel.core_pattern is ${pattern})`,
      advice: 'on the server: echo "kernel.core_pattern=|/bin/false" > /etc/sysctl.d/50-no-core-dumps.conf && sysctl --system',
    },
  ];
}
