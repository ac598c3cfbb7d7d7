import { ANSWERING_HELP, ANSWERING_OPTIONS, ANSWERING_USAGE, answerConversation } from '../answering/answering.ts';
import { defineCommand } from '../command.ts';

export const reply = defineCommand({
  name: 'reply',
  summary: 'Answer whoever wrote a letter, and tell the team',
  usage: ANSWERING_USAGE,
  examples: ['support-relay reply --alias Anna --relay http://….onion --socks 127.0.0.1:9150 --conversation 1a2b3c4d ~/Maildir'],
  details: `
PATH is the letter that you answer, as support-relay open takes it: a file, a message, a Maildir or imaps://. The answer is
typed at the prompt (Ctrl-D on an empty line ends it), or comes from --file or standard input. It is sealed so that only
the person can open it, with their access code; a copy goes to your team. Nothing is written to disk unless you ask.

  --file FILE             the text, in UTF-8: up to about 3,700 Cyrillic letters
${ANSWERING_HELP}

Ends with 0 when all was accepted or written to files, with 69 when the relay takes nothing now.`,
  options: ANSWERING_OPTIONS,
  arguments: [1, Number.POSITIVE_INFINITY],
  run: (values, paths, io) => answerConversation('answer', values, paths, io),
});
