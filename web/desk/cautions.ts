// The questions that a volunteer is asked before an answer is sealed.
import { toHex } from '../../crypto/bytes.ts';
import type { Means, Said } from '../../volunteer/answers.ts';
import { distinctAliases } from '../../volunteer/conversations/alias.ts';
import { formerAlias, fullnessOf, mayHideNote, othersWith } from '../../volunteer/conversations/cautions.ts';
import { isNoted, type Conversation } from '../../volunteer/conversations/conversations.ts';
import { phrase } from './phrases.ts';
import type { ReadingRefusal } from './refusals.ts';

/** What is known of all conversations at hand. */
type Known = { refusals: readonly ReadingRefusal[]; conversations: readonly Conversation[] };

/** With more names there would be no room for the question. */
const NAMED = 5;

/**
 * One question each about who else has the conversation or may have it, and about a mailbox that takes no more, which no relay can tell.
 */
export function cautionsAbout({ letters }: Conversation, known: Known, { action, alias }: Said, { signer }: Means): string[] {
  const noted = letters.filter(isNoted);
  const by = toHex(signer.key);
  const others = distinctAliases(othersWith(noted, by, alias).map(({ from, to }) => to || from));
  const allNotes = known.conversations.flatMap((each) => each.letters.filter(isNoted));
  const former = formerAlias(allNotes, by, alias);
  const full = action === 'answer' ? fullnessOf(noted, by, new Date()) : null;
  return [
    ...(former === null ? [] : [phrase('former-alias', { former: `«${former}»`, alias: `«${alias}»` })]),
    ...(known.refusals.some(({ code }) => mayHideNote(code)) ? [phrase('incomplete')] : []),
    ...(others.length > 0 ? [phrase('others', { aliases: listed(others) })] : []),
    ...(full === null ? [] : [phrase('full', { all: String(full.team), own: String(full.own) })]),
  ].map(plainText);
}

function listed(aliases: readonly string[]): string {
  const named = aliases.slice(0, NAMED).map((name) => `«${name}»`);
  return [...named, ...(aliases.length > NAMED ? ['…'] : [])].join(', ');
}

/** For a dialog of the browser. There only isolating characters keep the names of others apart from our text, and on its line. */
function plainText(sentence: HTMLElement): string {
  for (const theirs of sentence.querySelectorAll('bdi')) theirs.textContent = `\u2068${theirs.textContent.replace(/\s+/g, ' ')}\u2069`;
  return sentence.textContent;
}
