// Configuration of the private network's tors. The directory authorities are the network's own, and an exit leads only where the
// tests' own network of containers does: nothing in it can reach, or be reached from, the outside.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export type TorNode = {
  readonly name: string;
  readonly dir: string;
  readonly address: string;
  readonly isExit: boolean;
  readonly orPort: number;
  /** Only a directory authority has one. */
  readonly dirPort?: number;
};

/** `authorities`: a DirAuthority line for each; `owner`: the process with which tor ends, if any. */
export type Common = { readonly authorities: readonly string[]; readonly owner: number | null };

export const controlSocket = (dir: string): string => join(dir, 'control.sock');

function commonLines(dir: string, { authorities, owner }: Common): string[] {
  return [
    ...networkLines(authorities),
    `DataDirectory ${dir}`,
    'RunAsDaemon 0',
    ...(owner === null ? [] : [`__OwningControllerProcess ${String(owner)}`]),
    `ControlPort unix:${controlSocket(dir)}`,
    'ShutdownWaitLength 1 second',
    'NumCPUs 1',
  ];
}

const networkLines = (authorities: readonly string[]): string[] => [
  'TestingTorNetwork 1',
  ...authorities,
  'PathsNeededToBuildCircuits 0.67',
];

/** Otherwise a client that lacks only a few descriptors waits ten seconds before fetching them. */
const EARLY = ['FetchDirInfoEarly 1', 'FetchDirInfoExtraEarly 1'];

/** For the configuration of a tor that has everything else by itself. */
export const joiningLines = (authorities: readonly string[]): string[] => [...networkLines(authorities), ...EARLY];

export function relayLines({ name, dir, address, isExit, orPort, dirPort }: TorNode, common: Common, bandwidths: string): string[] {
  return [
    ...commonLines(dir, common),
    `Nickname ${name}`,
    `Address ${address}`,
    'AssumeReachable 1',
    ...(isExit ? EXIT : ['ExitRelay 0', 'ExitPolicy reject *:*']),
    `ORPort ${address}:${String(orPort)}`,
    'SocksPort 0',
    'ContactInfo none',
    'BridgeRelay 0',
    'DirCache 1',
    ...(dirPort === undefined ? [] : authorityLines(address, dirPort, bandwidths)),
  ];
}

/** Without the first two ports the authorities would not call it an exit. The last is for mail. */
const EXIT = [
  'ExitRelay 1',
  'ExitPolicyRejectPrivate 0',
  ...[80, 443, 465].map((port) => `ExitPolicy accept *:${String(port)}`),
  'ExitPolicy reject *:*',
  'ServerDNSDetectHijacking 0',
];

function authorityLines(address: string, dirPort: number, bandwidths: string): string[] {
  return [
    `DirPort ${address}:${String(dirPort)}`,
    'AuthoritativeDirectory 1',
    'V3AuthoritativeDirectory 1',
    // The first vote is held back until all relays are known. Later ones are rare: a testing network's onion service
    // renews its descriptor every 24 voting intervals.
    'TestingV3AuthInitialVotingInterval 30 minutes',
    'TestingV3AuthInitialVoteDelay 2 seconds',
    'TestingV3AuthInitialDistDelay 2 seconds',
    'V3AuthVotingInterval 5 minutes',
    'V3AuthVoteDelay 5 seconds',
    'V3AuthDistDelay 5 seconds',
    'V3AuthNIntervalsValid 12',
    // The same measured bandwidth for all: otherwise one that happens to report more is chosen for every hop.
    `V3BandwidthsFile ${bandwidths}`,
    'ConsensusParams maxunmeasuredbw=1',
    'TestingAuthDirTimeToLearnReachability 0',
    'TestingDirAuthVoteGuard *',
    'TestingDirAuthVoteHSDir *',
    'MinUptimeHidServDirectoryV2 0',
    'TestingMinExitFlagThreshold 0',
  ];
}

/** The limits that every deployment has. */
const ONION_LIMITS = fileURLToPath(new URL('../../deploy/tor/onion.conf', import.meta.url));

/** `target`: unix:/path/of/a.sock */
export function serviceLines(dir: string, target: string, common: Common): string[] {
  return [
    ...commonLines(dir, common),
    ...EARLY,
    'SocksPort 0',
    `HiddenServiceDir ${join(dir, 'service')}`,
    'HiddenServiceVersion 3',
    `HiddenServicePort 80 ${target}`,
    `%include ${ONION_LIMITS}`,
  ];
}

export function clientLines(dir: string, socksPort: number, common: Common): string[] {
  return [...commonLines(dir, common), ...EARLY, `SocksPort 127.0.0.1:${String(socksPort)} OnionTrafficOnly ExtendedErrors`];
}
