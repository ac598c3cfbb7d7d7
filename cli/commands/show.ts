import { toHex } from '../../crypto/bytes.ts';
import { cardWords, verifyCard } from '../../crypto/card.ts';
import { CodedError } from '../../crypto/errors.ts';
import { parsePublicKey } from '../../crypto/minisign.ts';
import { ready } from '../../crypto/sodium.ts';
import { fingerprint } from '../../volunteer/keys/fingerprint.ts';
import { defineCommand } from '../command.ts';
import { EXIT } from '../errors.ts';
import { readInputText } from '../files.ts';
import { listLanguage, wordListFor } from '../keys/random-words.ts';
import { visibleJson } from '../terminal/terminal.ts';

const NAME = 'show';

export const show = defineCommand({
  name: NAME,
  summary: "Show what a card or another public key file holds, and a card's eight words",
  usage: '[--language XX] [--json] FILE',
  examples: ['support-relay show season-2026-11-30.card', 'support-relay show signer.pub'],
  details: `
Checks the signature of a card, and shows its words, its signer and its weeks with their recipients; of the public half
of a signer or a root key the 64 digits and the fingerprint.

  --language XX           of the list that the eight words are from
  --json                  one line of JSON: holder, words, signer, weeks; or key, fingerprint`,
  options: { language: { type: 'string' }, json: { type: 'boolean' } },
  arguments: [1, 1],
  run: async (values, [file = ''], io) => {
    await ready;
    const text = await readInputText(file, 'the file');
    const shown = keyShown(text) ?? cardShown(text, listLanguage(values.language, io, NAME));
    io.out(values.json === true ? `${visibleJson(shown)}\n` : linesOf(shown).join(''));
    return EXIT.ok;
  },
});

type CardShown = { holder: string; words: string; signer: string; weeks: { from: string; until: string; recipient: string }[] };
type KeyShown = { key: string; fingerprint: string };

/** Null unless the text is a public key in minisign's format. */
function keyShown(text: string): KeyShown | null {
  try {
    const key = toHex(parsePublicKey(text).key);
    return { key, fingerprint: fingerprint(key) };
  } catch (error) {
    if (error instanceof CodedError) return null;
    throw error;
  }
}

/** Throws as `verifyCard`. */
function cardShown(text: string, language: string): CardShown {
  const verified = verifyCard(text);
  const { holder, weeks } = verified.card;
  return {
    holder,
    words: cardWords(verified, wordListFor(language)).join(' '),
    signer: verified.signer,
    weeks: weeks.map(({ notBefore, notAfter, recipient }) => ({ from: notBefore, until: notAfter, recipient })),
  };
}

function linesOf(shown: CardShown | KeyShown): string[] {
  if ('key' in shown) return [`key          ${shown.key}\n`, `fingerprint  ${shown.fingerprint}\n`];
  const weeks = shown.weeks.flatMap(({ from, until, recipient }) => [`\n${from} to ${until}\n`, `${recipient}\n`]);
  return [`words   ${shown.words}\n`, `holder  ${shown.holder}\n`, `signer  ${shown.signer}\n`, ...weeks];
}
