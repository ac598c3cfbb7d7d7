import { defineCommand } from '../command.ts';
import { conversationJson, presentLine } from '../reading/present.ts';
import { READING_HELP, READING_OPTIONS, readerFor } from '../reading/reader.ts';
import { readAll } from '../reading/report.ts';
import { visibleJson } from '../terminal/terminal.ts';

const NAME = 'inbox';

export const inbox = defineCommand({
  name: NAME,
  summary: 'List conversations: who has answered, taken or handed over which',
  usage: '(--keys DIR | --identity FILE) [--keyring FILE --root-key FILE] [--json] PATH…',
  examples: [
    `support-relay inbox --identity week-12.age --keyring keyring-12.json --root-key root.pub \\
    imaps://team%40example.org@mail.example.org/Requests`,
  ],
  details: `
One line for each conversation: its id, who has answered it, taken it or been handed it, its topic and how it begins. The
two numbers are answers and letters: (1 / 2) is one answer to two letters. PATH is what support-relay open takes: a Maildir,
imaps://user@host/Folder, letters, messages. No letter has a time, so the order of the lines says nothing. Without
--keyring nobody vouches for the notes, and what they say is marked as not checked. Nothing is written to disk.

${READING_HELP}
  --json                  a line of JSON for each conversation, with its letters

Ends with 0 only when everything was opened and is authentic, or when there was nothing to open.`,
  options: { ...READING_OPTIONS, json: { type: 'boolean' } },
  arguments: [1, Number.POSITIVE_INFINITY],
  run: async (values, paths, io) => {
    const json = values.json === true;
    const { conversations, exitCode } = await readAll(paths, await readerFor(values, io, NAME), json);
    for (const conversation of conversations) {
      io.out(json ? `${visibleJson(conversationJson(conversation))}\n` : presentLine(conversation, io.columns));
    }
    return exitCode;
  },
});
