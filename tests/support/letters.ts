import { randomBytes } from '../../crypto/bytes.ts';
import type { LetterContent, WrittenContent } from '../../crypto/letter.ts';
import { threadOf, type Thread } from '../../crypto/thread.ts';

/** Somebody who asks. */
export const newThread = (): Thread => threadOf(randomBytes(32));

export const isWritten = (content: LetterContent): content is WrittenContent => content.kind === 'request' || content.kind === 'follow-up';

/** A letter that a requester wrote; anything else is a failure of the test. */
export function written(content: LetterContent): WrittenContent {
  if (!isWritten(content)) throw new Error(`expected somebody's words, not a ${content.kind}`);
  return content;
}
