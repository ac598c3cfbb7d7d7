import { MAX_CARD_WEEKS } from '../../crypto/card.ts';
import { defineCommand, wholeNumber } from '../command.ts';
import { EXIT, UsageError } from '../errors.ts';
import { listLanguage } from '../keys/random-words.ts';
import { dayOf } from '../../volunteer/keys/season.ts';
import { KEY_FOLDER, weeksIn } from '../keys/key-folder.ts';
import { createSeason } from '../keys/season.ts';
import { insistOnWholeSeasons } from '../keys/whole-seasons.ts';
import { daysOf, seasonBegin, SEASON_WEEKS } from '../keys/season-dates.ts';
import { visibleJson, visibleLine } from '../terminal/terminal.ts';

const NAME = 'volunteer keys';

export const volunteerKeys = defineCommand({
  name: NAME,
  summary: "Make a season's keys, and the card for the administrator",
  usage: '[--keys DIR] [--weeks N] [--from DATE] [--language XX] [--passphrase-file FILE] [--json]',
  examples: ['support-relay volunteer keys --keys keys', 'support-relay volunteer keys --weeks 4 --from 2026-11-30'],
  details: `
Makes one key a week, sealed to a storage key that your passphrase opens, and a card with their public halves, signed
by your signer. The first time it makes the storage key and the signer, too. Nothing is overwritten. Send the card to
the administrator, and read its eight words aloud to each other: that is how the card is known to be yours.

  --keys DIR              your folder of keys; ${KEY_FOLDER} here if left out
  --weeks N               how many weeks, 1 to ${String(MAX_CARD_WEEKS)}; ${String(SEASON_WEEKS)} if left out. With fewer weeks a computer
                          that is taken unlocked opens less
  --from DATE             the Monday on which the first week begins, as 2026-11-30; the week after your last one if left
                          out, or the present one
  --language XX           of the list that the eight words are from
  --passphrase-file FILE  for scripts: the passphrase is the first line of FILE
  --json                  one line of JSON: card, words, from, until, files`,
  options: {
    keys: { type: 'string' },
    weeks: { type: 'string' },
    from: { type: 'string' },
    language: { type: 'string' },
    'passphrase-file': { type: 'string' },
    json: { type: 'boolean' },
  },
  run: async (values, _positionals, io) => {
    const folder = values.keys ?? KEY_FOLDER;
    if (folder === '') throw new UsageError('--keys is missing its folder', NAME);
    const count = wholeNumber(values.weeks ?? String(SEASON_WEEKS), 'weeks', [1, MAX_CARD_WEEKS], NAME);
    const weeks = await weeksIn(folder);
    await insistOnWholeSeasons(folder, weeks);
    const from = seasonBegin(values.from, weeks, io.now(), NAME);
    const [first, last] = daysOf(from, count);
    io.err(`Today is ${dayOf(io.now().getTime())}. This makes keys for ${String(count)} weeks, from ${first} to ${last}.\n`);
    const language = listLanguage(values.language, io, NAME);
    const { card, words, files } = await createSeason(folder, { from, count }, { ...io, language }, values['passphrase-file']);
    if (values.json === true) {
      io.out(`${visibleJson({ card, words: words.join(' '), from: first, until: last, files })}\n`);
      return EXIT.ok;
    }
    io.err(`Your keys are in ${visibleLine(folder)}. Keep that folder; never send anything of it but the card.\n`);
    io.err(`Send ${visibleLine(card)} to the administrator, and read these words to each other aloud:\n`);
    io.out(`${words.join(' ')}\n`);
    return EXIT.ok;
  },
});
