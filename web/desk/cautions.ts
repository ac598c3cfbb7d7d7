// What a volunteer is asked before an answer is sealed. The command line looks at the signer instead of the alias, where somebody else has it.
import { toHex } from '../../crypto/bytes.ts';
import { REPLIES_A_WEEK, REPLIES_A_WEEK_BY_ONE } from '../../crypto/mailbox.ts';
import { isNoted, type Conversation } from '../../letters/conversations.ts';
import type { Answer, Means } from './answering.ts';
import { phrase } from './phrases.ts';

/** In words: who else has the conversation, and that its mailbox takes no more, which no relay can tell. */
export function cautionsAbout({ state, letters }: Conversation, { action, alias }: Answer, { signer }: Means): string[] {
  const others = [...new Set([...state.answered, ...state.handed, ...state.taken])].filter((each) => each !== alias);
  // No letter has a time: the answers of this week are those under its keyrings.
  const answers = letters.filter(isNoted).filter(({ content, keyring }) => content.note.action === 'answer' && keyring !== null && Date.parse(keyring.notAfter) > Date.now());
  const own = answers.filter(({ content }) => content.note.signer === toHex(signer.key));
  const isFull = action === 'answer' && (answers.length >= REPLIES_A_WEEK || own.length >= REPLIES_A_WEEK_BY_ONE);
  return [
    ...(others.length > 0 ? [phrase('others', { aliases: others.join(', ') })] : []),
    ...(isFull ? [phrase('full', { all: String(answers.length), own: String(own.length) })] : []),
  ].map(({ textContent }) => textContent);
}
