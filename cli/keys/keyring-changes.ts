// Who comes and goes with a keyring, in lines for a volunteer.
import { weekStart } from '../../crypto/card.ts';
import { signersOf, type Keyring, type Team } from '../../crypto/keyring.ts';
import { fingerprint } from '../../volunteer/keys/fingerprint.ts';
import { visibleLine } from '../terminal/terminal.ts';
import type { OwnPublicKeys } from './own-public-keys.ts';

type Kind = 'recipient' | 'signer';

/**
 * What `after` changes against the keyring before it: the one with the highest serial below its own, among those of the same time if
 * there is one. Between weeks all recipients are new, so that only their number says something; signers stay.
 */
export function describeChange(after: Keyring, known: readonly Keyring[], own: OwnPublicKeys): string[] {
  const before = keyringBefore(after, known);
  const since = before === undefined ? '' : `, compared with keyring ${String(before.serial)}`;
  return [
    `Keyring ${String(after.serial)}, from ${after.notBefore} until ${after.notAfter}${since}:`,
    ...after.teams.flatMap((team) => describeTeam(team, before)),
    ...(before?.teams ?? []).filter(({ id }) => !after.teams.some((team) => team.id === id)).map((team) => `  ${nameOf(team)}: is gone`),
    ...ownRemarks(after, own).map((remark) => `  ! ${remark}; ask the administrator`),
  ];
}

function keyringBefore(after: Keyring, known: readonly Keyring[]): Keyring | undefined {
  const lower = known.filter(({ serial }) => serial < after.serial).sort((a, b) => b.serial - a.serial);
  return lower.find(({ notBefore, notAfter }) => notBefore < after.notAfter && after.notBefore < notAfter) ?? lower[0];
}

function describeTeam(team: Team, before: Keyring | undefined): string[] {
  const earlier = before?.teams.find(({ id }) => id === team.id);
  const counts = `${counted(team.recipients, earlier?.recipients, 'recipient')}, ${counted(team.signers, earlier?.signers, 'signer')}`;
  const isNew = before !== undefined && earlier === undefined ? ' (a new team)' : '';
  const changes = earlier === undefined ? [] : [...changesOf(team, earlier, 'recipient'), ...changesOf(team, earlier, 'signer')];
  return [`  ${nameOf(team)}${isNew}: ${counts}`, ...changes];
}

function counted(now: readonly string[], before: readonly string[] | undefined, kind: Kind): string {
  const was = before === undefined || before.length === now.length ? '' : ` (before: ${String(before.length)})`;
  return `${String(now.length)} ${kind}${now.length === 1 ? '' : 's'}${was}`;
}

function changesOf(team: Team, earlier: Team, kind: Kind): string[] {
  const [now, before] = [team, earlier].map((each) => (kind === 'signer' ? each.signers : each.recipients)) as [string[], string[]];
  const stays = before.some((key) => now.includes(key));
  if (kind === 'recipient' && !stays) return [];
  const line = (what: string, key: string): string => `    ${what}  ${kind.padEnd('recipient'.length)}  ${fingerprint(key)}`;
  return [
    ...before.filter((key) => !now.includes(key)).map((key) => line('gone', key)),
    ...now.filter((key) => !before.includes(key)).map((key) => line('came', key)),
  ];
}

/** What a volunteer should know about their own place in it. */
function ownRemarks(keyring: Keyring, { signer, recipients }: OwnPublicKeys): string[] {
  const recipient = recipients.get(weekStart(Date.parse(keyring.notBefore)));
  const isRead = recipient === undefined || keyring.teams.some((team) => team.recipients.includes(recipient));
  return [
    ...(signer === null || signersOf(keyring).has(signer) ? [] : ['your signer is not in it, so nobody believes your answers']),
    ...(isRead ? [] : ['your key of this week is not in it, so no letter under it opens for you']),
  ];
}

function nameOf({ id, names }: Team): string {
  return `team ${id} (${visibleLine(names['en'] ?? Object.values(names)[0] ?? '')})`;
}
