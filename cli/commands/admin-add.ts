import { confirmCard, keepCard, readCard } from '../administering/card-files.ts';
import { placeCard } from '../administering/cards.ts';
import { openFolder } from '../administering/folder.ts';
import { firstOutdated } from '../administering/plan.ts';
import { secondOf } from '../administering/signing.ts';
import { defineCommand } from '../command.ts';
import { CliError, EXIT, UsageError } from '../errors.ts';
import { listLanguage } from '../keys/random-words.ts';
import { dayOf } from '../../volunteer/keys/season.ts';
import { visibleJson, visibleLine } from '../terminal/terminal.ts';

const NAME = 'admin add';

export const adminAdd = defineCommand({
  name: NAME,
  summary: 'Add the card of a volunteer or of the worker, once its words were compared by voice',
  usage: 'CARD… [--team T --alias A] [--worker] [--new-signer] [--language XX] [options]',
  examples: [
    'support-relay admin add season-2026-11-30.card --team psych --alias Maple',
    'support-relay admin add /media/carry/*.card --folder /media/admin',
  ],
  details: `
Shows the eight words of each CARD, and asks whether its holder reads the same to you. The card of a volunteer whom you
know already is found by its signer, so that several cards of a new season can be given at once; only a new volunteer
needs --alias and --team. An alias stands in this folder alone, never in a keyring. Nothing is signed yet: that is done
by support-relay admin season.

  --team T                the team of a new volunteer, or the team to which one moves
  --alias A               what a new volunteer is called here
  --worker                the card must be the worker's
  --new-signer            the volunteer has new keys, by a new signer: their former card is used no longer
  --language XX           of the list that the eight words are from
  --words "WORD …"        for scripts: the eight words that the holder read, in any language; one CARD only
  --yes                   for scripts: the words were compared already
  --folder DIR            the administrator's folder; the current directory if left out
  --json                  one line of JSON: cards (each: file, whose, team, added)`,
  options: {
    team: { type: 'string' },
    alias: { type: 'string' },
    worker: { type: 'boolean', default: false },
    'new-signer': { type: 'boolean', default: false },
    language: { type: 'string' },
    words: { type: 'string' },
    yes: { type: 'boolean', default: false },
    folder: { type: 'string', default: '.' },
    json: { type: 'boolean' },
  },
  arguments: [1, 64],
  run: async ({ team, alias, worker, words, yes, ...values }, paths, io) => {
    if (paths.length > 1 && (alias ?? words) !== undefined) throw new UsageError('--alias and --words go with one CARD', NAME);
    const language = listLanguage(values.language, io, NAME);
    let folder = await openFolder(values.folder, io);
    const now = secondOf(io);
    const cards: { file: string; whose: string; team: string | null; added: boolean }[] = [];
    for (const path of paths) {
      const file = await readCard(path);
      const wish = { alias, team, worker, newSigner: values['new-signer'] };
      const placement = naming(path, () => placeCard(folder, file.card, wish, now));
      const added = placement.change !== null;
      if (added) await confirmCard(placement, file, { yes, words, language }, io);
      folder = await keepCard(folder, placement, file);
      cards.push({ file: path, whose: placement.whose, team: placement.team, added });
      io.err(`${visibleLine(path)}: ${added ? 'added' : 'it is there already, nothing to do'} (${visibleLine(placement.whose)})\n`);
    }
    const outdated = firstOutdated(folder, now);
    if (outdated !== null) {
      io.err(`The week from ${dayOf(outdated)} was signed before this: support-relay admin season --again signs it anew.\n`);
    }
    if (values.json === true) io.out(`${visibleJson({ cards })}\n`);
    return EXIT.ok;
  },
});

/** Of several cards it must be said which one is refused. */
function naming<T>(path: string, place: () => T): T {
  try {
    return place();
  } catch (error) {
    if (error instanceof CliError) throw new CliError(error.code, `${path}: ${error.message}`, error.advice);
    throw error;
  }
}
