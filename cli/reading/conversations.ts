import type { Conversation } from '../../volunteer/conversations/conversations.ts';
import { CliError } from '../errors.ts';

export type { Conversation };
export { isNoted, isWritten, type Noted } from '../../volunteer/conversations/conversations.ts';

/** The conversation whose id begins with `id`. Throws CONVERSATION_UNKNOWN when there is none, or several. */
export function conversationOf(conversations: readonly Conversation[], id: string): Conversation {
  const wanted = id.toLowerCase();
  const isId = /^[0-9a-f]{4,64}$/.test(wanted);
  const [only, another] = isId ? conversations.filter(({ id: own }) => own.startsWith(wanted) || wanted.startsWith(own)) : [];
  if (only !== undefined && another === undefined) return only;
  const what = only === undefined ? `there is no conversation ${id}` : `several conversations begin with ${id}`;
  throw new CliError(
    'CONVERSATION_UNKNOWN',
    what,
    'take the id that support-relay inbox shows for the same paths, or at least its first four digits',
  );
}
