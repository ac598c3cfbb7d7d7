import { randomBytes } from '../../crypto/bytes.ts';
import type { LetterContent, WrittenContent } from '../../crypto/letter.ts';
import { threadOf, type Thread } from '../../crypto/thread.ts';

/** A new requester. */
export const newThread = (): Thread => threadOf(randomBytes(32));

export const isWritten = (content: LetterContent): content is WrittenContent => content.kind === 'request' || content.kind === 'follow-up';

/** Narrows to a letter by a requester; throws for any other. */
export function written(content: LetterContent): WrittenContent {
  if (!isWritten(content)) throw new Error(`expected somebody's words, not a ${content.kind}`);
  return content;
}
