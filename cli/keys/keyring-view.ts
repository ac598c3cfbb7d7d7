import type { VerifiedKeyring } from '../../crypto/keyring.ts';
import { keyName } from '../../crypto/minisign.ts';
import type { PublicKey } from '../../crypto/minisign.ts';
import { fingerprint } from '../../volunteer/keys/fingerprint.ts';
import { visibleLine } from '../terminal/terminal.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

export type Validity = 'valid' | 'not-yet-valid' | 'expired';

export function validityAt(keyring: VerifiedKeyring['keyring'], now: Date): Validity {
  if (now.getTime() < Date.parse(keyring.notBefore)) return 'not-yet-valid';
  return now.getTime() < Date.parse(keyring.notAfter) ? 'valid' : 'expired';
}

const VALIDITY_LABELS: Record<Validity, string> = { valid: 'valid now', 'not-yet-valid': 'NOT YET VALID', expired: 'EXPIRED' };

/** A keyring as two people compare it: who can read, from when to when, and by which root key it is signed. */
export function describeKeyring({ keyring, digest }: VerifiedKeyring, root: PublicKey, now: Date): string {
  const days = (Date.parse(keyring.notAfter) - Date.parse(keyring.notBefore)) / DAY_MS;
  const lines = [
    `Keyring ${String(keyring.serial)}: signed by root key ${keyName(root.id)}, ${VALIDITY_LABELS[validityAt(keyring, now)]}`,
    `  from        ${keyring.notBefore}`,
    `  until       ${keyring.notAfter} (${String(days)} days)`,
    `  digest      ${digest}`,
    `  previous    ${keyring.previous ?? 'none'}`,
    `  worker      ${fingerprint(keyring.worker)}`,
    ...(keyring.answerTime === undefined ? [] : [`  answers     ${inLanguages(keyring.answerTime)}`]),
    ...(keyring.release === undefined ? [] : [`  release     ${keyring.release.version}, ${keyring.release.digest}`]),
  ];
  for (const team of keyring.teams) {
    lines.push(
      `  team ${team.id}: ${inLanguages(team.names)}`,
      ...team.topics.map((topic) => `    topic       ${topic.id}: ${inLanguages(topic.names)}`),
      `    recipients  ${String(team.recipients.length)}`,
      ...team.recipients.map((recipient) => `                ${fingerprint(recipient)}`),
      `    signers     ${String(team.signers.length)}`,
      ...team.signers.map((signer) => `                ${fingerprint(signer)}`),
    );
  }
  return `${lines.join('\n')}\n`;
}

/** A keyring for --json. */
export function keyringSummary({ keyring, digest }: VerifiedKeyring, root: PublicKey, now: Date) {
  return {
    serial: keyring.serial,
    digest,
    rootKey: keyName(root.id),
    validity: validityAt(keyring, now),
    notBefore: keyring.notBefore,
    notAfter: keyring.notAfter,
    previous: keyring.previous,
    worker: fingerprint(keyring.worker),
    ...(keyring.release === undefined ? {} : { release: keyring.release }),
    teams: keyring.teams.map(({ id, names, topics, recipients, signers }) => ({
      id,
      names,
      topics,
      recipients: recipients.map(fingerprint),
      signers: signers.map(fingerprint),
    })),
  };
}

function inLanguages(names: Readonly<Record<string, string>>): string {
  return Object.entries(names)
    .map(([language, name]) => `${visibleLine(name)} (${language})`)
    .join(', ');
}
