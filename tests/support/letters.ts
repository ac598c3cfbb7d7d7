import type { LetterContent, WrittenContent } from '../../crypto/letter.ts';

export const isWritten = (content: LetterContent): content is WrittenContent => content.kind === 'request' || content.kind === 'follow-up';

/** A letter that a requester wrote; anything else is a failure of the test. */
export function written(content: LetterContent): WrittenContent {
  if (!isWritten(content)) throw new Error(`expected somebody's words, not a ${content.kind}`);
  return content;
}
