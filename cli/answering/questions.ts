// What a volunteer is asked, or told, before anything is sealed and sent.
import { readLanguages } from '../../runtime/locales.ts';
import { CliError } from '../errors.ts';
import type { Io } from '../terminal/io.ts';
import { block, cut, visibleLine } from '../terminal/terminal.ts';
import { roomOf, type Draft } from './compose.ts';
import type { Answerable, MailboxFull } from './conversation.ts';

const MAYBE_TAKEN = 'not everything could be read, so somebody else may have it';

/**
 * Asks which name to sign with: another one than before would alarm the whole team, for good. Throws ALIAS_DIFFERS when nobody
 * can be asked, NOT_SENT when the volunteer wants neither name.
 */
export async function aliasAsBefore(former: string, given: string, io: Io): Promise<string> {
  const what = `you have signed as ${visibleLine(former)} so far, not as ${visibleLine(given)}`;
  if (!io.stdinIsTerminal) {
    throw new CliError('ALIAS_DIFFERS', what, `take --alias '${visibleLine(former)}', or give --anyway; nothing was sent`);
  }
  io.err(`Careful: ${what}. Your team would be warned of one signer with two names.\n`);
  const typed = await io.ask(`Use ${visibleLine(former)}? [Y/n] `);
  if (!means('no', typed)) return former;
  if (await isYes(`Sign as ${visibleLine(given)} all the same? [y/N] `, io)) return given;
  throw new CliError('NOT_SENT', 'stopped', 'nothing was sent');
}

/**
 * Throws READING_INCOMPLETE unless `incomplete`, or a yes at the terminal, accepts that somebody else
 * may have the conversation.
 */
export async function confirmIncomplete(id: string, incomplete: boolean, io: Io): Promise<void> {
  if (incomplete) {
    tellOf(id, [MAYBE_TAKEN], io);
    return;
  }
  await insist(
    id,
    [MAYBE_TAKEN],
    new CliError(
      'READING_INCOMPLETE',
      `somebody else may have conversation ${id}: not everything could be read`,
      'get what is missing (see above) or move away what is damaged for good, and run this again, or give --incomplete; ' +
        'nothing was sent',
    ),
    io,
  );
}

/**
 * Throws CONVERSATION_TAKEN unless `anyway`, or a yes at the terminal, accepts that others have it.
 * @param taken a line for each
 */
export async function confirmTaken(taken: readonly string[], id: string, anyway: boolean, io: Io): Promise<void> {
  if (taken.length === 0) return;
  if (anyway) {
    tellOf(id, taken, io);
    return;
  }
  const refusal = new CliError(
    'CONVERSATION_TAKEN',
    `somebody else has conversation ${id}`,
    'speak with them, or give --anyway; nothing was sent',
  );
  await insist(id, taken, refusal, io);
}

async function insist(id: string, why: readonly string[], refusal: CliError, io: Io): Promise<void> {
  tellOf(id, why, io);
  if (io.stdinIsTerminal && (await isYes('Go on all the same? [y/N] ', io))) return;
  throw refusal;
}

function tellOf(id: string, lines: readonly string[], io: Io): void {
  for (const line of lines) io.err(`Conversation ${id}: ${line}.\n`);
}

/** Throws MAILBOX_FULL unless `anyway`; there is no question, since the relay would only drop the answer. */
export function refuseFull(full: MailboxFull | null, id: string, anyway: boolean, io: Io): void {
  if (full === null) return;
  if (!anyway) {
    throw new CliError('MAILBOX_FULL', full.what, `${full.advice}; if they may have deleted some, give --anyway; nothing was sent`);
  }
  tellOf(id, [full.what], io);
}

/** The topic and the last message of the person, so that nobody answers somebody else than they mean to. */
export function aboutOf({ id, topic, lastMessage }: Answerable, columns: number): string {
  const about = topic === undefined ? '' : ` (${visibleLine(topic)})`;
  const excerpt = cut(visibleLine(lastMessage.replace(/\s+/g, ' ')), 3 * columns);
  return `To conversation ${id}${about}, whose last message says:\n${block(excerpt, columns)}\n`;
}

/**
 * Shows what would be sent, and asks. A text that is too long is refused later, when it is sealed.
 * Throws NOT_SENT without a yes.
 */
export async function confirmSending(draft: Draft, about: string, io: Io): Promise<void> {
  const { action, alias, to, text } = draft.said;
  const room = roomOf(draft);
  if (room < 0) {
    io.err('It does not fit. The text is still above: copy it into a file, shorten it there, and give it with --file.\n');
    return;
  }
  const addressee = to === undefined ? '' : ` to ${visibleLine(to)}`;
  io.err(`\n${visibleLine(alias)}: ${action}${addressee}\n`);
  if (text !== '') io.err(`${block(text, io.columns)}\n`);
  io.err(`\n(room left: about ${String(Math.floor(room / 2))} Cyrillic letters)\n\n${about}`);
  if (!(await isYes('Send? [y/N] ', io))) throw new CliError('NOT_SENT', 'stopped', 'nothing was sent; the text is still above');
}

async function isYes(question: string, io: Io): Promise<boolean> {
  return means('yes', await io.ask(question));
}

/** In any of the languages: which one the terminal is set to says little about who sits at it. */
function means(what: 'yes' | 'no', typed: string): boolean {
  return readLanguages().some((language) => language[what].includes(typed.trim().toLowerCase()));
}
