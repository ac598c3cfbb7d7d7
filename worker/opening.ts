// The worker opens parcels. The letters in them it cannot open: they are sealed to volunteers.
import { CodedError } from '../crypto/errors.ts';
import { letterId } from '../crypto/letter.ts';
import { openSealed, parcelId, type ContentOf, type ParcelContent, type ParcelKind } from '../crypto/parcel.ts';
import type { Removal } from '../crypto/removal.ts';
import { checkDelivery, type Delivery } from '../crypto/reply.ts';
import type { WorkerDrop } from '../redis/drops.ts';
import type { SealedParcel } from './batch-lease.ts';
import type { Outcome } from './commit.ts';
import type { WorkerIdentity } from './identities.ts';

/** Null: no such team. Empty: the team is in a keyring, but no inbox is configured for it. */
export type InboxesOf = (team: string) => readonly string[] | null;

/** What opening a parcel needs besides the worker's keys. */
export type OpenContext = {
  readonly inboxesOf: InboxesOf;
  /** Signers whose replies are accepted (64 hex digits each); null: no keyring is valid now. */
  readonly signers: ReadonlySet<string> | null;
};

/** An opened parcel. Deliveries and removals still have to be checked against what is in the mailbox. */
export type Opened =
  | Exclude<Outcome, { kind: 'reply' | 'delete' }>
  | { readonly kind: 'delivery'; readonly id: Buffer; readonly keyId: string; readonly delivery: Delivery }
  | { readonly kind: 'removal'; readonly id: Buffer; readonly keyId: string; readonly removal: Removal };

/** Opens one parcel and decides what becomes of it. Throws only errors of our own, never for a bad parcel. */
export function openParcel({ id, sealed }: SealedParcel, identities: readonly WorkerIdentity[], context: OpenContext): Opened {
  // Whoever can write to the pool could choose any id; only the parcel's own may be remembered.
  if (!id.equals(parcelId(sealed))) return { kind: 'drop', id, keyId: null, reason: 'damaged' };
  const result = tryEach(sealed, identities);
  if ('reason' in result) return { kind: 'drop', id, keyId: result.keyId, reason: result.reason };
  return handle(result.content, { id, by: result.by }, context);
}

/** A parcel that one of our keys opened. */
type OpenedParcel = { readonly id: Buffer; readonly by: WorkerIdentity };
type Handler<K extends ParcelKind> = (content: ContentOf<K>, parcel: OpenedParcel, context: OpenContext) => Opened;

/** Handles each kind of parcel. Replies and removals go back while no keyring is valid: the clock may be wrong. */
const HANDLERS: { readonly [K in ParcelKind]: Handler<K> } = {
  decoy: (_content, { id, by }) => ({ kind: 'drop', id, keyId: by.keyId, reason: 'decoy' }),
  letter: placeLetter,
  reply: ({ delivery }, { id, by }, { signers }) =>
    signers === null ? { kind: 'back', id } : openDelivery(id, by.keyId, delivery, signers),
  delete: ({ removal }, { id, by }, { signers }) =>
    signers === null ? { kind: 'back', id } : { kind: 'removal', id, keyId: by.keyId, removal },
};

function handle<K extends ParcelKind>(content: ContentOf<K>, parcel: OpenedParcel, context: OpenContext): Opened {
  return HANDLERS[content.kind](content, parcel, context);
}

function placeLetter(content: ContentOf<'letter'>, { id, by: { keyId, secret } }: OpenedParcel, { inboxesOf }: OpenContext): Opened {
  const inboxes = inboxesOf(content.team);
  if (inboxes === null) return { kind: 'drop', id, keyId, reason: 'team' };
  const letter = Buffer.from(content.letter);
  const to = inboxes.map((inbox) => ({ inbox, letterId: Buffer.from(letterId(letter, inbox, secret)) }));
  return { kind: 'letter', id, keyId, letter, to };
}

function openDelivery(id: Buffer, keyId: string, delivery: Delivery, signers: ReadonlySet<string>): Opened {
  try {
    checkDelivery(delivery, signers);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return { kind: 'drop', id, keyId, reason: error.code === 'SIGNER_UNKNOWN' ? 'signer' : 'signature' };
  }
  return { kind: 'delivery', id, keyId, delivery };
}

type Decrypted = { content: ParcelContent; by: WorkerIdentity } | { reason: WorkerDrop; keyId: string | null };

/** Tries the identities one at a time, to know which one opened the parcel. */
function tryEach(sealed: Uint8Array, identities: readonly WorkerIdentity[]): Decrypted {
  for (const by of identities) {
    try {
      return { content: openSealed(sealed, [by.identity]), by };
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      switch (error.code) {
        case 'AGE_NO_MATCH':
          continue;
        case 'PARCEL_FORMAT':
          return { reason: 'format', keyId: by.keyId };
        case 'PARCEL_SIGNATURE':
          return { reason: 'signature', keyId: by.keyId };
        case 'LETTER_STRUCTURE':
        case 'REPLY_STRUCTURE':
          return { reason: 'structure', keyId: by.keyId };
        default:
          return { reason: 'damaged', keyId: null };
      }
    }
  }
  return { reason: 'unopenable', keyId: null };
}
