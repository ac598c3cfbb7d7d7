// What a volunteer is asked before an answer is sealed.
import { toHex } from '../../crypto/bytes.ts';
import { fullnessOf, mayHideNote, othersWith } from '../../letters/cautions.ts';
import { isNoted, type Conversation } from '../../letters/conversations.ts';
import type { Answer, Means } from './answering.ts';
import { phrase } from './phrases.ts';
import type { Refusal } from './refusals.ts';

/** In words: who else has the conversation or may have it, and that its mailbox takes no more, which no relay can tell. */
export function cautionsAbout({ letters }: Conversation, refusals: readonly Refusal[], { action, alias }: Answer, { signer }: Means): string[] {
  const noted = letters.filter(isNoted);
  const by = toHex(signer.key);
  const others = new Set(othersWith(noted, by, alias).map(({ from, to }) => to || from));
  const full = action === 'answer' ? fullnessOf(noted, by, new Date()) : null;
  return [
    ...(refusals.some(({ code }) => mayHideNote(code)) ? [phrase('incomplete')] : []),
    ...(others.size > 0 ? [phrase('others', { aliases: [...others].join(', ') })] : []),
    ...(full === null ? [] : [phrase('full', { all: String(full.team), own: String(full.own) })]),
  ].map(({ textContent }) => textContent);
}
