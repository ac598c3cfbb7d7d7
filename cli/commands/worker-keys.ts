import { MAX_CARD_WEEKS } from '../../crypto/card.ts';
import { dayOf } from '../../volunteer/keys/season.ts';
import { defineCommand, required, wholeNumber } from '../command.ts';
import { EXIT } from '../errors.ts';
import type { Owner } from '../../runtime/ownership.ts';
import { listLanguage } from '../keys/random-words.ts';
import { daysOf, seasonBegin, SEASON_WEEKS } from '../keys/season-dates.ts';
import { insistOnWholeCards } from '../keys/whole-seasons.ts';
import { createWorkerSeason, ownerAsked, setFormerKeysAside, workerWeeksIn } from '../keys/worker-season.ts';
import { visibleJson, visibleLine } from '../terminal/terminal.ts';

const NAME = 'worker keys';

export const workerKeys = defineCommand({
  name: NAME,
  summary: "Make a season's keys for the worker, and its card for the administrator",
  usage: '--out DIR [--weeks N] [--from DATE] [--anew] [--owner USER] [--language XX] [--json]',
  examples: ['support-relay worker keys --out worker/identities', 'support-relay worker keys --out /etc/relay/identities --owner worker'],
  details: `
Run it on the relay's machine. Makes one key a week, readable by its owner alone and without a passphrase, since the
worker starts by itself, and a card with their public halves. Nothing is overwritten, and the worker takes new files
without a restart. Send the card to the administrator, and read its eight words aloud to each other. Never copy the keys
anywhere: when weeks are missing, make new ones.

  --out DIR      the worker's folder of identities (WORKER_IDENTITIES)
  --weeks N      how many weeks, 1 to ${String(MAX_CARD_WEEKS)}; ${String(SEASON_WEEKS)} if left out
  --from DATE    the Monday on which the first week begins, as 2026-11-30; the week after the last one there if left out,
                 or the present one
  --anew         after the machine was copied: make other keys, from the present week on. The former files get names with
                 former- before them: the worker opens with them what was sealed to them, and shreds them in their time
  --owner USER   whose the files are, as a name or UID:GID, where another user runs the worker. Run by root without it,
                 they belong to the owner of DIR
  --language XX  of the list that the eight words are from
  --json         one line of JSON: card, words, from, until, files`,
  options: {
    out: { type: 'string' },
    weeks: { type: 'string' },
    from: { type: 'string' },
    anew: { type: 'boolean' },
    owner: { type: 'string' },
    language: { type: 'string' },
    json: { type: 'boolean' },
  },
  run: async (values, _positionals, io) => {
    const folder = required(values.out, 'out', NAME);
    const count = wholeNumber(values.weeks ?? String(SEASON_WEEKS), 'weeks', [1, MAX_CARD_WEEKS], NAME);
    const language = listLanguage(values.language, io, NAME);
    const weeks = values.anew === true ? [] : await workerWeeksIn(folder);
    if (values.anew !== true) await insistOnWholeCards(folder, weeks, 'txt');
    const from = seasonBegin(values.from, weeks, io.now(), NAME);
    const owner = await ownerAsked(values.owner, folder, NAME);
    const [first, last] = daysOf(from, count);
    io.err(`Today is ${dayOf(io.now().getTime())}. This makes the worker's keys for ${String(count)} weeks, from ${first} to ${last}.\n`);
    if (values.anew === true) {
      const former = await setFormerKeysAside(folder);
      if (former.length > 0)
        io.err(`${String(former.length)} files of the former keys are called former-… now, and stay until the worker shreds them.\n`);
    }
    const { card, words, files } = await createWorkerSeason(folder, { from, count }, owner, language);
    if (values.json === true) {
      io.out(`${visibleJson({ card, words: words.join(' '), from: first, until: last, files })}\n`);
      return EXIT.ok;
    }
    io.err(`The keys are in ${visibleLine(folder)}; ${whoReads(owner)}. Keep them on this machine.\n`);
    io.err(`Send ${visibleLine(card)} to the administrator, and read these words to each other aloud:\n`);
    io.out(`${words.join(' ')}\n`);
    return EXIT.ok;
  },
});

function whoReads(owner: Owner | null): string {
  const uid = owner?.uid ?? process.getuid?.();
  if (uid === 0) return 'root alone can read them: if another user runs the worker, give them to it with chown, or --owner next time';
  return owner === null ? 'you alone can read them' : `the user ${String(owner.uid)} alone can read them`;
}
