// Warnings that need an operator: what is wrong, and what to do. Each other file of this folder covers one part of the system.

/** `critical`: nobody can write, letters do not go out, or something may be lost or kept too long. `warning`: that is what comes of it. */
export type Severity = 'critical' | 'warning';

/**
 * Every warning: in the status, as an alert of Prometheus (deploy/prometheus/rules/), and as a heading of docs/operations.md. All
 * three have the same name.
 */
export const WARNINGS = {
  KEYS_MISSING: 'warning',
  ROOT_MISSING: 'warning',
  ROOT_UNUSABLE: 'critical',
  ROOT_REPLACED: 'critical',
  KEYRINGS_MISSING: 'warning',
  INBOXES_MISSING: 'warning',
  INBOXES_CHANGED: 'warning',
  FORM_MISSING: 'warning',
  FORM_UNUSABLE: 'critical',
  RELAY_AWAY: 'critical',
  DOOR_CLOSED: 'critical',
  MAINTENANCE: 'warning',
  OFFLINE_FORM_ENDED: 'warning',
  KEYRINGS_DIFFER: 'critical',
  LIMITS_DIFFER: 'warning',
  KEYRING_FILLING: 'warning',
  KEYRING_FULL: 'critical',
  WORKER_GONE: 'critical',
  WORKER_LATE: 'critical',
  MIX_PAUSED: 'critical',
  LETTERS_HELD: 'critical',
  REPLIES_FULL: 'critical',
  FILLING: 'warning',
  KEYRING_NONE: 'critical',
  KEYRING_EXPIRING: 'critical',
  KEYS_EXPIRING: 'warning',
  KEY_NEXT: 'warning',
  KEY_FILE: 'warning',
  KEYRING_FILES: 'warning',
  POOL_DEEP: 'warning',
  PARCELS_DAMAGED: 'warning',
  PARCELS_UNOPENABLE: 'critical',
  PARCELS_FAILED: 'critical',
  HOUSEKEEPING_FAILING: 'warning',
  CLOCK_AHEAD: 'critical',
  CLOCKS_DIFFER: 'critical',
  REDIS_AWAY: 'critical',
  REDIS_DAMAGED: 'critical',
  REDIS_FILE: 'critical',
  REDIS_SETTINGS: 'critical',
  MEMORY_FILLING: 'warning',
  DISK_FILLING: 'warning',
  DISK_FULL: 'critical',
  TOR_AWAY: 'critical',
  ONION_UNREACHABLE: 'critical',
  VERSIONS_DIFFER: 'warning',
  INBOX_FAILING: 'critical',
  INBOX_DEFERRING: 'warning',
  INBOX_UNCONFIGURED: 'critical',
  INBOX_DEAD: 'warning',
  INBOX_BACKLOG: 'warning',
} as const satisfies Record<string, Severity>;

export type WarningCode = keyof typeof WARNINGS;
export const WARNING_CODES = Object.keys(WARNINGS) as WarningCode[];
export type Attention = { code: WarningCode; what: string; advice: string };

/** Where the documents say what a warning or a notice means, and what to do. */
export const runbookOf = (code: string): string => `docs/operations.md#${code.toLowerCase()}`;

/**
 * What setup mends. Nobody should be told to do again what they have just done: where one of these is said, it is also said when it
 * was seen.
 */
const OF_SETUP: ReadonlySet<WarningCode> = new Set([
  ...(['KEYS_MISSING', 'ROOT_MISSING', 'ROOT_UNUSABLE', 'KEYRINGS_MISSING', 'INBOXES_MISSING', 'FORM_MISSING', 'FORM_UNUSABLE'] as const),
  ...(['DOOR_CLOSED', 'KEYRING_NONE', 'KEYRING_EXPIRING', 'KEYRING_FILES', 'KEYRINGS_DIFFER', 'KEYS_EXPIRING', 'KEY_NEXT'] as const),
  ...(['INBOXES_CHANGED', 'KEY_FILE', 'OFFLINE_FORM_ENDED', 'INBOX_UNCONFIGURED', 'LETTERS_HELD'] as const),
]);

export const isOfSetup = ({ code }: Attention): boolean => OF_SETUP.has(code);

/** The verdict in a line. @param isWhole everything was looked at that can be */
export function headline(attention: readonly Attention[], isWhole: boolean): string {
  if (attention.length === 0) return isWhole ? 'All is well' : 'All is well so far';
  return attention.length === 1 ? '1 thing needs you' : `${String(attention.length)} things need you`;
}
