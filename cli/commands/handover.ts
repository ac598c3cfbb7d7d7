import { ANSWERING_HELP, ANSWERING_OPTIONS, ANSWERING_USAGE, answerConversation } from '../answering/answering.ts';
import { defineCommand, required } from '../command.ts';

const NAME = 'handover';

export const handover = defineCommand({
  name: NAME,
  summary: 'Hand a conversation over to another volunteer of the team',
  usage: `--to ALIAS ${ANSWERING_USAGE}`,
  examples: ['support-relay handover --to Boris --alias Anna --relay http://….onion --socks 127.0.0.1:9150 letter.age'],
  details: `
Only the team sees it. PATH is a letter of the conversation, as support-relay open takes it: a file, a message, a
Maildir or imaps://.

  --to ALIAS              the name by which the team knows the volunteer who goes on with it
  --file FILE             a few words for the team; at a terminal they are asked
${ANSWERING_HELP}

Ends with 0 when it was accepted or written to a file, with 69 when the relay takes nothing now.`,
  options: { ...ANSWERING_OPTIONS, to: { type: 'string' } },
  arguments: [1, Number.POSITIVE_INFINITY],
  run: (values, paths, io) => {
    required(values.to, 'to', NAME);
    return answerConversation('handover', values, paths, io);
  },
});
