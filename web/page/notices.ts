// Everything that can go wrong in front of a person. The words for each stand in the page itself (locales/*.json), hidden
// until needed: the scripts hold no words, and a page without a text for a notice does not build.
import type { Result } from '../../crypto/answer.ts';
import type { DoorReason } from '../../crypto/wire.ts';
import type { SealerCode } from './messages.ts';

/**
 * What the button under a notice does: look at the door again, send again, reload the page, stay on it or leave it; send without an answer.
 */
export type Action = 'check' | 'send' | 'stop' | 'reload' | 'stay' | 'leave' | 'without';

export const NOTICES = {
  'no-sealing': ['reload'],
  'closed-keyring': ['check'],
  'closed-pool': ['check'],
  'closed-service': ['check'],
  'slow-stamp': ['check'],
  unreachable: ['check'],
  'keyring-forged': ['check'],
  'keyring-old': ['check'],
  'keyring-expired': ['check'],
  'keyring-early': ['check'],
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

/** After these the form is of no use until something changes, so it is not shown unless it holds text. */
export const BLOCKING_NOTICES: ReadonlySet<Notice> = new Set<Notice>([
  'no-sealing',
  'closed-keyring',
  'closed-pool',
  'closed-service',
  'unreachable',
  'keyring-forged',
  'keyring-old',
  'keyring-expired',
  'keyring-early',
]);

export const DOOR_NOTICES: Readonly<Record<DoorReason, Notice>> = {
  keyring: 'closed-keyring',
  pool: 'closed-pool',
  redis: 'closed-service',
  worker: 'closed-service',
};

export function noticeForSealer(code: SealerCode): Notice {
  switch (code) {
    case 'KEYRING_EXPIRED':
      return 'keyring-expired';
    case 'KEYRING_NOT_YET_VALID':
      return 'keyring-early';
    case 'KEYRING_OLD':
      return 'keyring-old';
    case 'KEYRING_TOPIC':
      return 'topic-gone';
    case 'KEYRING_FORMAT':
    case 'MINISIGN_FORMAT':
    case 'MINISIGN_KEY':
    case 'MINISIGN_SIGNATURE':
      return 'keyring-forged';
    case 'LETTER_TOO_LONG':
      return 'too-long';
    default:
      return 'no-sealing';
  }
}

/** What to say about a refusal that could not be mended without the person. */
export function noticeForRefusal(result: Exclude<Result, 'accepted'>): Notice {
  switch (result) {
    case 'version':
    case 'sealed':
    // Sealed anew it was refused again: this device spoils what it holds, or the page is another than the server's.
    case 'damaged':
      return 'outdated';
    case 'serial':
    case 'closed':
      return 'closed-keyring';
    case 'full':
    case 'away':
    case 'stamp':
      return 'busy';
  }
}
