import type { Conversation } from '../../volunteer/conversations/conversations.ts';
import { CliError } from '../errors.ts';

export type { Conversation };
export { isNoted, isWritten, type Noted } from '../../volunteer/conversations/conversations.ts';

/** The one whose id begins so. Throws CONVERSATION_UNKNOWN when there is none, or several. */
export function conversationOf(conversations: readonly Conversation[], id: string): Conversation {
  const wanted = id.toLowerCase();
  const found = /^[0-9a-f]{4,64}$/.test(wanted)
    ? conversations.filter((each) => each.id.startsWith(wanted) || wanted.startsWith(each.id))
    : [];
  const [only, another] = found;
  if (only !== undefined && another === undefined) return only;
  const what = only === undefined ? `there is no conversation ${id}` : `several conversations begin with ${id}`;
  throw new CliError(
    'CONVERSATION_UNKNOWN',
    what,
    'take the id that support-relay inbox shows, or its first digits, four at least, and the same paths',
  );
}
