// What `reply`, `claim` and `handover` have in common.
import { toHex } from '../../crypto/bytes.ts';
import { currentKeyring } from '../../crypto/keyring.ts';
import { ALIAS_LENGTH_MAX, type NoteAction } from '../../crypto/note.ts';
import { readLanguages } from '../../runtime/locales.ts';
import { aliasFrom, isAlias } from '../../volunteer/conversations/alias.ts';
import { formerAlias } from '../../volunteer/conversations/cautions.ts';
import { isNoted } from '../../volunteer/conversations/conversations.ts';
import { required } from '../command.ts';
import { CliError, EXIT, UsageError } from '../errors.ts';
import type { Io } from '../terminal/io.ts';
import { READING_HELP, READING_OPTIONS, readerFor } from '../reading/reader.ts';
import { readAll } from '../reading/report.ts';
import { block, cut, visibleJson, visibleLine } from '../terminal/terminal.ts';
import { ownTeam, parcelsOf, roomOf, type Draft } from './compose.ts';
import { answerable, fullOf, insistOnKey, othersHaving, type Answerable } from './conversation.ts';
import { RELAY_HELP, destinationOf } from '../sending/destination.ts';
import { dispatch } from './dispatch.ts';
import { AT_ONCE_OPTION } from '../sending/moments.ts';
import { readRootPublicKey } from '../keys/root-key.ts';
import { readSigner, refuseRootKey } from '../keys/signer.ts';
import { readAnswer } from './words.ts';

export const ANSWERING_OPTIONS = {
  ...READING_OPTIONS,
  conversation: { type: 'string' },
  signer: { type: 'string' },
  alias: { type: 'string' },
  file: { type: 'string' },
  anyway: { type: 'boolean' },
  incomplete: { type: 'boolean' },
  relay: { type: 'string' },
  ...AT_ONCE_OPTION,
  keep: { type: 'string' },
  out: { type: 'string' },
  json: { type: 'boolean' },
} as const;

export const ANSWERING_USAGE =
  '--identity FILE --signer FILE --alias NAME --keyring FILE --root-key FILE\n         (--relay URL | --out DIR) [options] PATH…';

export const ANSWERING_HELP = `  --conversation ID       as support-relay inbox shows it; may be left out when there is only one in the letters
  --signer FILE           your signer (support-relay keygen --signer): what makes people and team believe it
  --alias NAME            the name by which the team knows you; the person never sees it
  --anyway                also when somebody else has answered or taken the conversation, or its mailbox may be full
  --incomplete            also when not everything could be read, so that nobody knows whether somebody else has it
${READING_HELP}
${RELAY_HELP}
  --keep DIR              written there first, sealed, and removed when the relay has it: nothing is lost if this program,
                          the computer or the connection breaks off, and support-relay send sends what is left
  --out DIR               send nothing: write it there, sealed, for support-relay send, or for somebody else to send
  --json                  one line of JSON: conversation, sent, unsent (numbers), files (what waits to be sent)

The passphrase of --passphrase-file is also the signer's. --keyring and --root-key are needed, and the newest keyring that
has begun must be valid now: what you write is sealed under it, and never under an older one.`;

type Values = {
  [Name in keyof typeof ANSWERING_OPTIONS]?: (typeof ANSWERING_OPTIONS)[Name] extends { multiple: true }
    ? string[]
    : (typeof ANSWERING_OPTIONS)[Name]['type'] extends 'boolean'
      ? boolean
      : string;
} & { to?: string };

/** Finds the conversation, composes, asks at a terminal, and sends. @returns the exit code */
export async function answerConversation(action: NoteAction, values: Values, paths: readonly string[], io: Io): Promise<number> {
  const { command, destination, signerFile, alias: givenAlias, to } = parseAnswerOptions(action, values, paths, io);
  const reader = await readerFor(values, io, command);
  const verified = currentKeyring(reader.keyrings ?? [], io.now());
  const signer = await readSigner(signerFile, io, values['passphrase-file']);
  refuseRootKey(signerFile, signer, await Promise.all((values['root-key'] ?? []).map(readRootPublicKey)));
  ownTeam(verified.keyring, signer, reader.identities);

  const { conversations, exitCode, whole } = await readAll(paths, reader, false);
  // Why nothing opened has been said.
  if (conversations.length === 0 && exitCode !== EXIT.ok) return exitCode;
  const conversation = answerable(conversations, values.conversation);
  if (action === 'answer') insistOnKey(conversation);
  const by = toHex(signer.key);
  const anyway = values.anyway === true;
  const former = formerAlias(
    conversations.flatMap(({ letters }) => letters.filter(isNoted)),
    by,
    givenAlias,
  );
  const alias = former === null || anyway ? givenAlias : await aliasAsBefore(former, givenAlias, io);
  if (!whole) await confirmIncomplete(conversation.id, values.incomplete === true, io);
  await insistIfTaken(othersHaving(conversation, by, alias), conversation.id, anyway, io);
  if (action === 'answer') insistIfFull(fullOf(conversation, by, io.now()), conversation.id, anyway, io);

  const about = aboutOf(conversation, io.columns);
  if (io.stdinIsTerminal) io.err(about);
  const text = await readAnswer(io, values.file, action === 'answer');
  const team = ownTeam(verified.keyring, signer, reader.identities, conversation.topic);
  const draft: Draft = { conversation, means: { verified, team, signer }, said: { action, alias, ...to, text } };
  if (io.stdinIsTerminal) await confirm(draft, about, io);
  const isJson = values.json === true;
  const { exitCode: sentCode, ...dispatched } = await dispatch(parcelsOf(draft), { destination, io, isJson });
  if (isJson) io.out(`${visibleJson({ conversation: conversation.id, ...dispatched })}\n`);
  return sentCode;
}

/** The command that makes a note of each action. */
const COMMANDS: Readonly<Record<NoteAction, string>> = { answer: 'reply', claim: 'claim', handover: 'handover' };

/** What can be found wrong before any passphrase is asked. Throws USAGE when an option is missing, ALIAS_FORMAT when a name is none. */
function parseAnswerOptions(action: NoteAction, values: Values, paths: readonly string[], io: Io) {
  const command = COMMANDS[action];
  const destination = destinationOf(values, command);
  const alias = nameOf(required(values.alias, 'alias', command));
  const to = values.to === undefined ? {} : { to: nameOf(values.to) };
  const signerFile = required(values.signer, 'signer', command);
  if (values.keyring === undefined || values['root-key'] === undefined) {
    throw new UsageError('--keyring and --root-key are needed', command);
  }
  const isPiped = action === 'answer' && values.file === undefined && !io.stdinIsTerminal;
  if (isPiped && paths.includes('-')) {
    throw new UsageError('standard input is either the letter or the text: give the text with --file', command);
  }
  return { command, destination, signerFile, alias, to };
}

function nameOf(text: string): string {
  const name = aliasFrom(text);
  if (isAlias(name)) return name;
  throw new CliError(
    'ALIAS_FORMAT',
    `a name in the team has 1 to ${String(ALIAS_LENGTH_MAX)} characters, all of which can be seen`,
    'use 1 to 40 visible characters on one line',
  );
}

/**
 * Another name of one's own would be an alarm for the whole team, and one that stays. Throws ALIAS_DIFFERS when nobody can be asked which,
 * NOT_SENT when they want neither.
 */
async function aliasAsBefore(former: string, given: string, io: Io): Promise<string> {
  const what = `you have signed as ${visibleLine(former)} so far, not as ${visibleLine(given)}`;
  if (!io.stdinIsTerminal) {
    throw new CliError('ALIAS_DIFFERS', what, `take --alias '${visibleLine(former)}', or give --anyway; nothing was sent`);
  }
  io.err(`Careful: ${what}. Your team would be warned of one signer with two names.\n`);
  const answer = await io.ask(`Use ${visibleLine(former)}? [Y/n] `);
  if (!says('no', answer)) return former;
  if (await isYes(`Sign as ${visibleLine(given)} all the same? [y/N] `, io)) return given;
  throw new CliError('NOT_SENT', 'stopped', 'nothing was sent');
}

async function confirmIncomplete(id: string, incomplete: boolean, io: Io): Promise<void> {
  const advice =
    'get what is missing (see above) or move away what is damaged for good, and run this again, or give --incomplete; nothing was sent';
  await insist(
    id,
    ['not everything could be read, so somebody else may have it'],
    new CliError('READING_INCOMPLETE', `somebody else may have conversation ${id}: not everything could be read`, advice),
    incomplete,
    io,
  );
}

async function insistIfTaken(taken: readonly string[], id: string, anyway: boolean, io: Io): Promise<void> {
  if (taken.length === 0) return;
  await insist(
    id,
    taken,
    new CliError('CONVERSATION_TAKEN', `somebody else has conversation ${id}`, 'speak with them, or give --anyway; nothing was sent'),
    anyway,
    io,
  );
}

async function insist(id: string, why: readonly string[], refusal: CliError, insisted: boolean, io: Io): Promise<void> {
  for (const line of why) io.err(`Conversation ${id}: ${line}.\n`);
  if (insisted || (io.stdinIsTerminal && (await isYes('Go on all the same? [y/N] ', io)))) return;
  throw refusal;
}

function insistIfFull(full: ReturnType<typeof fullOf>, id: string, anyway: boolean, io: Io): void {
  if (full === null) return;
  if (!anyway) {
    throw new CliError('MAILBOX_FULL', full.what, `${full.advice}; if they may have deleted some, give --anyway; nothing was sent`);
  }
  io.err(`Conversation ${id}: ${full.what}.\n`);
}

/** So that nobody answers another than they mean: the topic, and the last words that the person wrote. */
function aboutOf({ id, topic, lastWords }: Answerable, columns: number): string {
  const words = visibleLine(lastWords.replace(/\s+/g, ' '));
  return `To conversation ${id}${topic === undefined ? '' : ` (${visibleLine(topic)})`}, which says last:\n${block(cut(words, 3 * columns), columns)}\n`;
}

/** What does not fit is refused when it is sealed. */
async function confirm(draft: Draft, about: string, io: Io): Promise<void> {
  const { action, alias, to, text } = draft.said;
  if (roomOf(draft) < 0) {
    io.err('It does not fit. The text is still above: copy it into a file, shorten it there, and give it with --file.\n');
    return;
  }
  io.err(
    `\n${visibleLine(alias)}: ${action}${to === undefined ? '' : ` to ${visibleLine(to)}`}\n${text === '' ? '' : `${block(text, io.columns)}\n`}\n(room left: about ${String(Math.floor(roomOf(draft) / 2))} Cyrillic letters)\n\n${about}`,
  );
  if (!(await isYes('Send? [y/N] ', io))) throw new CliError('NOT_SENT', 'stopped', 'nothing was sent; the text is still above');
}

async function isYes(question: string, io: Io): Promise<boolean> {
  return says('yes', await io.ask(question));
}

/** In whichever language: what a terminal speaks says little of whoever sits at it. */
function says(what: 'yes' | 'no', typed: string): boolean {
  return readLanguages().some((language) => language[what].includes(typed.trim().toLowerCase()));
}
