import { readKeyring } from '../keys/keyring.ts';
import { readRootPublicKey } from '../keys/root-key.ts';
import { CodedError } from '../../crypto/errors.ts';
import { checkValidity } from '../../crypto/keyring.ts';
import type { Keyring } from '../../crypto/keyring.ts';
import { encodeParcelText } from '../../crypto/parcel-text.ts';
import { LANGUAGE } from '../../crypto/schema.ts';
import { requestRoom, sealRequest } from '../../crypto/seal.ts';
import { stampParcel } from '../../crypto/stamp.ts';
import { MAX_DIFFICULTY } from '../../crypto/wire.ts';
import { defineCommand, required, wholeNumber } from '../command.ts';
import { CliError, EXIT, UsageError } from '../errors.ts';
import { TEXT_BYTES_MAX, writeNewFiles } from '../files.ts';
import type { Io } from '../terminal/io.ts';
import { visibleJson, visibleLine } from '../terminal/terminal.ts';

const NAME = 'seal';

export const seal = defineCommand({
  name: NAME,
  summary: 'Seal a request without a browser: text in, parcel out',
  usage: '--keyring FILE --root-key FILE [options] < TEXT > PARCEL',
  examples: [
    'support-relay seal --keyring keyring.json --root-key root.pub --topic legal < text.txt > parcel',
    `curl --data-binary @parcel -H 'Content-Type: application/octet-stream' http://….onion/parcel -o answer`,
  ],
  details: `
Reads the text from standard input (UTF-8; line ends at its very end are left out) and writes the parcel, always 24,576
bytes, to standard output; with --text as 32,768 characters, to be pasted into the page without scripts.
The keyring is verified with FILE.minisig beside it and must be valid now.

  --keyring FILE     the relay's keyring.json, with keyring.json.minisig beside it
  --root-key FILE    the public root key (root.pub), from somebody you trust and not from the relay
  --topic T          what it is about; if left out, it goes where requests without a topic go
  --contact TEXT     how to reach you, if you want that (others on this computer may see it in the list of processes)
  --language CODE    the language of the text; ru if left out
  --difficulty N     leading zero bits of the stamp; 10 if left out. The relay's door.json says how many it asks for
  --text             write the parcel as text
  --out FILE         write it there instead, readable by you alone; an existing file is never overwritten
  --json             with --out: one line of JSON on standard output: file, serial, notAfter, difficulty`,
  options: {
    keyring: { type: 'string' },
    'root-key': { type: 'string' },
    topic: { type: 'string' },
    contact: { type: 'string' },
    language: { type: 'string', default: 'ru' },
    difficulty: { type: 'string', default: '10' },
    text: { type: 'boolean' },
    out: { type: 'string' },
    json: { type: 'boolean' },
  },
  run: async (values, _positionals, io) => {
    const keyringFile = required(values.keyring, 'keyring', NAME);
    const rootKeyFile = required(values['root-key'], 'root-key', NAME);
    const difficulty = wholeNumber(values.difficulty, 'difficulty', [0, MAX_DIFFICULTY], NAME);
    if (values.json === true && values.out === undefined) {
      throw new UsageError('--json needs --out, since the parcel itself is on standard output', NAME);
    }
    if (!LANGUAGE.test(values.language)) throw new UsageError(`--language must be a code such as ru, not "${values.language}"`, NAME);
    if (io.stdoutIsTerminal && values.out === undefined && values.text !== true) {
      throw new CliError('OUTPUT_TERMINAL', 'a parcel is not for the screen', 'send the output to a file with > FILE or --out FILE');
    }

    const verified = await readKeyring(keyringFile, await readRootPublicKey(rootKeyFile));
    checkValidity(verified.keyring, io.now());
    if (values.topic !== undefined) checkTopic(verified.keyring, values.topic);
    io.err(`Keyring ${String(verified.keyring.serial)} is signed by the root key and valid until ${verified.keyring.notAfter}.\n`);

    const message = await readMessage(io);
    const request = {
      ...(values.topic === undefined ? {} : { topic: values.topic }),
      language: values.language,
      message,
      ...(values.contact ? { contact: values.contact } : {}),
    };
    const room = requestRoom(request);
    if (room < 0) {
      throw new CodedError('LETTER_TOO_LONG', `the request is ${String(-room)} bytes too long`);
    }
    const parcel = stampParcel(sealRequest(request, verified), difficulty);
    const content = values.text === true ? `${encodeParcelText(parcel)}\n` : parcel;
    if (values.out === undefined) io.out(content);
    else await writeNewFiles([{ path: values.out, content, secret: true }]);
    if (values.json === true) {
      const { serial, notAfter } = verified.keyring;
      io.out(`${visibleJson({ file: values.out, serial, notAfter, difficulty })}\n`);
    }
    return EXIT.ok;
  },
});

function checkTopic({ teams }: Keyring, topic: string): void {
  const topics = [...new Set(teams.flatMap((team) => team.topics.map(({ id }) => id)))];
  if (!topics.includes(topic)) {
    throw new UsageError(`no team takes the topic "${visibleLine(topic)}"; there are: ${topics.join(', ')}`, NAME);
  }
}

async function readMessage(io: Io): Promise<string> {
  if (io.stdinIsTerminal) io.err('Write the request here. Enter and then Ctrl-D ends it; Ctrl-C stops.\n');
  const bytes = await io.readStdin(TEXT_BYTES_MAX);
  if (bytes === null) {
    throw new CliError('INPUT_TOO_LARGE', 'the request is longer than 1 MiB', 'shorten it to about 3,700 Cyrillic letters');
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new CliError('INPUT_FORMAT', 'the request is not text in UTF-8', 'save it as UTF-8');
  }
  const message = text.replace(/(\r?\n)+$/, '');
  if (message.trim() === '') throw new CliError('INPUT_EMPTY', 'there is no text on standard input', 'write or pipe the request into it');
  return message;
}
