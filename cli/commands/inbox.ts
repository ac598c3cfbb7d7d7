import { MAX_CARD_WEEKS } from '../../crypto/card.ts';
import type { Conversation, OpenedLetter } from '../../volunteer/conversations/conversations.ts';
import { defineCommand, wholeNumber } from '../command.ts';
import { KEEP_WEEKS } from '../keys/shredding.ts';
import { tendWeekFiles } from '../keys/week-files.ts';
import { conversationJson, presentLine } from '../reading/present.ts';
import { READING_HELP, READING_OPTIONS, readerFor, type Reader } from '../reading/reader.ts';
import { readAll } from '../reading/report.ts';
import { visibleJson } from '../terminal/terminal.ts';

const NAME = 'inbox';

export const inbox = defineCommand({
  name: NAME,
  summary: 'List conversations: who has answered, taken or handed over which',
  usage: '[--keys DIR | --identity FILE] [--keyring FILE --root-key FILE] [--keep-weeks N] [--json] PATH…',
  examples: ['support-relay inbox ~/Maildir', 'support-relay inbox imaps://team%40example.org@mail.example.org/Requests'],
  details: `
One line for each conversation: its id, who has answered it, taken it or been handed it, its topic and how it begins. The
two numbers are answers and letters: (1 / 2) is one answer to two letters. PATH is what support-relay open takes: a Maildir,
imaps://user@host/Folder, letters, messages. No letter has a time, so the order of the lines says nothing. Without
a keyring nobody vouches for the notes, and what they say is marked as not checked. No letter is written to disk.

With a folder of keys it also shreds: ${String(KEEP_WEEKS)} weeks after its end a week's key goes. It says which is next; a listing
after that day announces it, with the conversations that need it, and a listing a day later shreds it.

${READING_HELP}
  --keep-weeks N          shred a week's key so many weeks after its end; ${String(KEEP_WEEKS)} if left out
  --json                  a line of JSON for each conversation, with its letters

Ends with 0 only when everything was opened and is authentic, or when there was nothing to open.`,
  options: { ...READING_OPTIONS, 'keep-weeks': { type: 'string' }, json: { type: 'boolean' } },
  arguments: [1, Number.POSITIVE_INFINITY],
  run: async (values, paths, io) => {
    const json = values.json === true;
    const keepWeeks = wholeNumber(values['keep-weeks'] ?? String(KEEP_WEEKS), 'keep-weeks', [1, MAX_CARD_WEEKS], NAME);
    const reader = await readerFor(values, io, NAME);
    const { conversations, exitCode, isListed } = await readAll(paths, reader, json);
    for (const conversation of conversations) {
      io.out(json ? `${visibleJson(conversationJson(conversation))}\n` : presentLine(conversation, io.columns));
    }
    if (isListed) await shredAfter(conversations, reader, keepWeeks);
    return exitCode;
  },
});

/** Only a listing shreds: so nobody's key goes before they saw what it opens. */
async function shredAfter(conversations: readonly Conversation[], { own, keyrings, io }: Reader, keepWeeks: number): Promise<void> {
  if (own === null) return;
  const { folder, weeks } = own;
  const readWith = (week: number): string[] => {
    const recipients = weeks.filter(({ begin }) => begin === week).map(({ recipient }) => recipient);
    const isSealedTo = ({ keyring }: OpenedLetter): boolean =>
      keyring?.teams.some((team) => team.recipients.some((each) => recipients.includes(each))) ?? false;
    return conversations.filter(({ letters }) => letters.some(isSealedTo)).map(({ id }) => id);
  };
  await tendWeekFiles({ folder, keyrings: keyrings ?? [], keepWeeks, readWith }, io);
}
