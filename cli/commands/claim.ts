import { ANSWERING_HELP, ANSWERING_OPTIONS, ANSWERING_USAGE, answerConversation } from '../answering/answering.ts';
import { defineCommand } from '../command.ts';

export const claim = defineCommand({
  name: 'claim',
  summary: 'Tell the team that you take a conversation',
  usage: ANSWERING_USAGE,
  examples: ['support-relay claim --alias Anna --relay http://….onion --socks 127.0.0.1:9150 --conversation 1a2b3c4d ~/Maildir'],
  details: `
Take a conversation before you answer it, so that two volunteers do not answer the same person without knowing. Only the
team sees it. PATH is a letter of the conversation, as support-relay open takes it: a file, a message, a Maildir or imaps://.

  --file FILE             a few words for the team; at a terminal they are asked
${ANSWERING_HELP}

Ends with 0 when it was accepted or written to a file, with 69 when the relay takes nothing now.`,
  options: ANSWERING_OPTIONS,
  arguments: [1, Number.POSITIVE_INFINITY],
  run: (values, paths, io) => answerConversation('claim', values, paths, io),
});
