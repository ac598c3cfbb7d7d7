// What a volunteer is asked before an answer is sealed.
import { toHex } from '../../crypto/bytes.ts';
import type { Means, Said } from '../../volunteer/answers.ts';
import { distinctAliases } from '../../volunteer/conversations/alias.ts';
import { formerAlias, fullnessOf, mayHideNote, othersWith } from '../../volunteer/conversations/cautions.ts';
import { isNoted, type Conversation } from '../../volunteer/conversations/conversations.ts';
import { phrase } from './phrases.ts';
import type { ReadingRefusal } from './refusals.ts';

/** What is known of all conversations at hand. */
type Known = { refusals: readonly ReadingRefusal[]; conversations: readonly Conversation[] };

/** So many names leave room for the question. */
const NAMED = 5;

/** In words: who else has the conversation or may have it, and that its mailbox takes no more, which no relay can tell. */
export function cautionsAbout({ letters }: Conversation, known: Known, { action, alias }: Said, { signer }: Means): string[] {
  const noted = letters.filter(isNoted);
  const by = toHex(signer.key);
  const others = distinctAliases(othersWith(noted, by, alias).map(({ from, to }) => to || from));
  const former = formerAlias(
    known.conversations.flatMap((each) => each.letters.filter(isNoted)),
    by,
    alias,
  );
  const full = action === 'answer' ? fullnessOf(noted, by, new Date()) : null;
  return [
    ...(former === null ? [] : [phrase('former-alias', { former: `«${former}»`, alias: `«${alias}»` })]),
    ...(known.refusals.some(({ code }) => mayHideNote(code)) ? [phrase('incomplete')] : []),
    ...(others.length > 0
      ? [
          phrase('others', {
            aliases: [...others.slice(0, NAMED).map((name) => `«${name}»`), ...others.slice(NAMED, NAMED + 1).map(() => '…')].join(', '),
          }),
        ]
      : []),
    ...(full === null ? [] : [phrase('full', { all: String(full.team), own: String(full.own) })]),
  ].map(asked);
}

/** In a question of the browser only characters keep the names of others from running into our words, or into a line of their own. */
function asked(words: HTMLElement): string {
  for (const theirs of words.querySelectorAll('bdi')) theirs.textContent = `\u2068${theirs.textContent.replace(/\s+/g, ' ')}\u2069`;
  return words.textContent;
}
