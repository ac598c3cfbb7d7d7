// Configuration of the private network's tors. Every port is on 127.0.0.1, no relay is an exit, and the directory authorities
// are the network's own: nothing in it can reach, or be reached from, the outside.
import { join } from 'node:path';

export type TorNode = {
  readonly name: string;
  readonly dir: string;
  readonly orPort: number;
  /** Only a directory authority has one. */
  readonly dirPort?: number;
};

/** `authorities`: a DirAuthority line for each; `owner`: the process with which tor ends. */
export type Common = { readonly authorities: readonly string[]; readonly owner: number; readonly bandwidths: string };

export const controlSocket = (dir: string): string => join(dir, 'control.sock');

function commonLines(dir: string, { authorities, owner }: Common): string[] {
  return [
    'TestingTorNetwork 1',
    ...authorities,
    `DataDirectory ${dir}`,
    'RunAsDaemon 0',
    `__OwningControllerProcess ${String(owner)}`,
    `ControlPort unix:${controlSocket(dir)}`,
    'ShutdownWaitLength 1 second',
    'PathsNeededToBuildCircuits 0.67',
    'NumCPUs 1',
  ];
}

export function relayLines({ name, dir, orPort, dirPort }: TorNode, common: Common): string[] {
  return [
    ...commonLines(dir, common),
    `Nickname ${name}`,
    'Address 127.0.0.1',
    'AssumeReachable 1',
    'ExitRelay 0',
    'ExitPolicy reject *:*',
    `ORPort 127.0.0.1:${String(orPort)}`,
    'SocksPort 0',
    'ContactInfo none',
    'BridgeRelay 0',
    'DirCache 1',
    ...(dirPort === undefined ? [] : authorityLines(dirPort, common.bandwidths)),
  ];
}

function authorityLines(dirPort: number, bandwidths: string): string[] {
  return [
    `DirPort 127.0.0.1:${String(dirPort)}`,
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

/** Otherwise a client that lacks only a few descriptors waits ten seconds before fetching them. */
const EARLY = ['FetchDirInfoEarly 1', 'FetchDirInfoExtraEarly 1'];

/** `target`: unix:/path/of/a.sock */
export function serviceLines(dir: string, target: string, common: Common): string[] {
  return [
    ...commonLines(dir, common),
    ...EARLY,
    'SocksPort 0',
    `HiddenServiceDir ${join(dir, 'service')}`,
    'HiddenServiceVersion 3',
    `HiddenServicePort 80 ${target}`,
  ];
}

export function clientLines(dir: string, socksPort: number, common: Common): string[] {
  return [...commonLines(dir, common), ...EARLY, `SocksPort 127.0.0.1:${String(socksPort)} OnionTrafficOnly ExtendedErrors`];
}
