// Operations on several keyrings, letters or replies together.
import { fromHex } from '../../crypto/bytes.ts';
import { CodedError } from '../../crypto/errors.ts';
import { chained, checkValidity, isSignerOf, keyringThatCounts, type Keyring, type VerifiedKeyring } from '../../crypto/keyring.ts';
import type { NoteContent, WrittenContent } from '../../crypto/letter.ts';
import type { ReplyContent } from '../../crypto/reply.ts';
import { groupIntoConversations, isNoted, orderAfter, type OpenedLetter } from '../../volunteer/conversations/conversations.ts';
import { teamOf } from '../../volunteer/keys/team.ts';
import { Handed } from '../../web/page/handed.ts';

type Dated = Pick<Keyring, 'serial' | 'notBefore' | 'notAfter'> & { readonly digest: string };

/** Of keyrings whose signatures verified: which counts, and whether it can be used. */
export function countingResult(json: string, now: Date): unknown {
  const held = (JSON.parse(json) as Dated[]).map(({ digest, ...dates }): VerifiedKeyring => ({ keyring: dates as Keyring, digest }));
  const counting = keyringThatCounts(held, now);
  if (counting === null) return null;
  return { serial: counting.keyring.serial, digest: counting.digest, use: useOf(counting.keyring, now) };
}

type Link = Pick<Keyring, 'serial' | 'previous'> & { readonly digest: string };

/** Of keyrings whose signatures verified: "serial, first digit of the digest" of those that fit, and of the others with the code. */
export function chainedResult(json: string): unknown {
  const held = (JSON.parse(json) as Link[]).map(({ digest, ...link }): VerifiedKeyring => ({ keyring: link as Keyring, digest }));
  const name = ({ keyring, digest }: VerifiedKeyring): string => `${String(keyring.serial)}${digest[0] ?? ''}`;
  const { fit, refused } = chained(held);
  return { fit: fit.map(name).join(' '), refused: refused.map(({ keyring, error }) => `${name(keyring)} ${error.code}`) };
}

function useOf(keyring: Keyring, now: Date): string {
  try {
    checkValidity(keyring, now);
    return 'valid';
  } catch (error) {
    if (error instanceof CodedError) return error.code;
    throw error;
  }
}

const signatureOf = ({ content }: OpenedLetter): string => (isNote(content) ? content.note.signature : (content.thread?.signature ?? ''));
const isNote = (content: OpenedLetter['content']): content is NoteContent => content.kind === 'note';

/** What a volunteer sees of letters that opened and are believed. */
export function conversationsResult(json: string): unknown {
  const letters = (JSON.parse(json) as (WrittenContent | NoteContent)[]).map((content, at): OpenedLetter => ({
    source: '',
    mark: String(at),
    content,
    keyring: null,
  }));
  const { conversations, refused } = groupIntoConversations(letters);
  return {
    conversations: conversations.map((conversation) => ({
      letters: conversation.letters.map((letter) => ({
        signature: signatureOf(letter),
        serial: letter.content.serial,
        ...(isNoted(letter) ? { action: letter.content.note.action } : {}),
      })),
      lock: conversation.address?.lock ?? null,
      contested: conversation.remarks.includes('contested'),
      absent: conversation.absent,
      next: orderAfter(conversation.letters),
    })),
    refused: refused.map(({ letter }) => signatureOf(letter)),
  };
}

type Handing = { readonly teams: Keyring['teams']; readonly replies: readonly ReplyContent[]; readonly written: readonly number[] };

/** What a requester sees of replies that opened and are believed, and what further words say. */
export function followUpResult(json: string): unknown {
  const { teams, replies, written } = JSON.parse(json) as Handing;
  const handed = new Handed();
  for (const number of written) handed.wrote(number);
  handed.take({
    total: replies.length,
    first: 0,
    replies: replies.map(({ text, team, id, number, earlier = [], signer, signature }, at) => ({
      id: String(at),
      text,
      team: isSignerOf({ teams } as Keyring, signer, team) ? team : null,
      signature,
      place: { number, id, signature },
      earlier,
    })),
  });
  const { team = null, number, read } = handed.followUp;
  return { replies: handed.shown.map(({ signature }) => signature), absent: handed.absent, team, number, read };
}

/** The team that a volunteer answers for. */
export function teamResult(keyring: Keyring, signer: string, identities: readonly string[], topic: string | undefined): string | null {
  return teamOf(keyring, { key: fromHex(signer) }, identities, topic)?.id ?? null;
}
