import { defineCommand } from '../command.ts';
import { conversationOf } from '../reading/conversations.ts';
import { asJson, conversationJson, present, presentConversation } from '../reading/present.ts';
import { READING_HELP, READING_OPTIONS, readerFor } from '../reading/reader.ts';
import { readAll } from '../reading/report.ts';
import { visibleJson } from '../terminal/terminal.ts';

const NAME = 'open';

export const open = defineCommand({
  name: NAME,
  summary: 'Open requests: files, messages, a whole Maildir or a folder at a mail server',
  usage: '[--keys DIR | --identity FILE] [--keyring FILE --root-key FILE] [--conversation ID] [--json] PATH…',
  examples: ['support-relay open ~/Maildir', 'support-relay open --keys keys --conversation 1a2b3c4d ~/Maildir'],
  details: `
PATH is a letter (.age, binary or armored), a saved message (.eml), a Maildir (every message in new/ and cur/),
imaps://user@host/Folder or - for standard input. Requests and notes are shown on the screen; nothing is written to
disk, and nothing changes at the mail server. What cannot be opened or is not to be trusted is reported, and the rest
is shown. Characters that could act on the terminal or change the reading direction are shown like this: ‹U+202E›;
--json keeps the text exactly. A letter that was delivered twice is shown once.

  --conversation ID       only this one, with the id that support-relay inbox shows: request, further letters and notes
${READING_HELP}
  --json                  a line of JSON for each letter, or for the conversation

Ends with 0 only when everything was opened and is authentic, or when there was nothing to open.`,
  options: { ...READING_OPTIONS, conversation: { type: 'string' }, json: { type: 'boolean' } },
  arguments: [1, Number.POSITIVE_INFINITY],
  run: async (values, paths, io) => {
    const json = values.json === true;
    const { conversation: id } = values;
    const reader = await readerFor(values, io, NAME);
    let number = 0;
    const { conversations, exitCode } = await readAll(paths, reader, json, (letter) => {
      if (id === undefined) io.out(json ? `${visibleJson(asJson(letter))}\n` : present(letter, (number += 1), io.columns));
    });
    if (id !== undefined) {
      const conversation = conversationOf(conversations, id);
      io.out(json ? `${visibleJson(conversationJson(conversation))}\n` : presentConversation(conversation, io.columns));
    }
    return exitCode;
  },
});
