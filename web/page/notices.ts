// Everything that can go wrong in front of a person. The texts are in the page itself (from locales/*/form.json), hidden until they are
// needed: scripts hold no text, and the build fails if a notice has none.
import type { Result } from '../../crypto/answer.ts';
import type { DoorReason } from '../../crypto/wire.ts';
import type { SealerCode } from './messages.ts';

/**
 * What the button under a notice does: check the door again, send again, stop waiting, reload the page, stay on it, leave it, or send
 * without an answer.
 */
export type Action = 'check' | 'send' | 'stop' | 'reload' | 'stay' | 'leave' | 'without';

export const NOTICES = {
  'no-sealing': ['reload'],
  'closed-keyring': ['check'],
  'closed-maintenance': ['check'],
  'closed-pool': ['check'],
  'closed-service': ['check'],
  'slow-stamp': ['check'],
  unreachable: ['check'],
  'keyring-forged': ['check'],
  'keyring-old': ['check'],
  clock: ['check'],
  'topic-gone': [],
  'too-long': [],
  offline: ['send'],
  timeout: ['send'],
  waiting: ['send', 'stop'],
  busy: ['send'],
  refused: ['send'],
  outdated: [],
  'no-words': ['send', 'without'],
  leaving: ['stay', 'leave'],
  'look-failed': ['send'],
  'look-away': ['send'],
  'look-keys': ['check'],
  'delete-failed': ['send'],
} as const satisfies Record<string, readonly Action[]>;
export type Notice = keyof typeof NOTICES;

/** After these the form is of no use until something changes, so it is hidden unless it holds text. */
export const BLOCKING_NOTICES: ReadonlySet<Notice> = new Set<Notice>([
  'no-sealing',
  'closed-keyring',
  'closed-maintenance',
  'closed-pool',
  'closed-service',
  'unreachable',
  'keyring-forged',
  'keyring-old',
  'clock',
]);

/** The relay takes nothing now. Under these the page says what else somebody can do (web/build/template.ts). */
export const CLOSED_NOTICES: ReadonlySet<Notice> = new Set<Notice>([
  'closed-keyring',
  'closed-maintenance',
  'closed-pool',
  'closed-service',
]);

export const DOOR_NOTICES: Readonly<Record<DoorReason, Notice>> = {
  keyring: 'closed-keyring',
  maintenance: 'closed-maintenance',
  pool: 'closed-pool',
  redis: 'closed-service',
  worker: 'closed-service',
};

const SEALER_NOTICES: Readonly<Partial<Record<SealerCode, Notice>>> = {
  KEYRING_NONE: 'closed-keyring',
  // The relay gives out no keyring that is not valid by its own clock.
  KEYRING_EXPIRED: 'clock',
  KEYRING_NOT_YET_VALID: 'clock',
  KEYRING_OLD: 'keyring-old',
  KEYRING_TOPIC: 'topic-gone',
  LETTER_TOO_LONG: 'too-long',
};

export function noticeForSealer(code: SealerCode): Notice {
  // Whatever else is wrong with a keyring or its signature.
  return SEALER_NOTICES[code] ?? (/^(?:KEYRING|MINISIGN)_/.test(code) ? 'keyring-forged' : 'no-sealing');
}

/** What to say about a refusal that the page could not deal with by itself. */
export const REFUSAL_NOTICES: Readonly<Record<Exclude<Result, 'accepted'>, Notice>> = {
  version: 'outdated',
  sealed: 'outdated',
  // It was sealed again and refused again: this device corrupts data, or the page is not the server's.
  damaged: 'outdated',
  serial: 'closed-keyring',
  closed: 'closed-keyring',
  full: 'busy',
  away: 'busy',
  stamp: 'busy',
};
