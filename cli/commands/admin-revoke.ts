import { confirmCard, keepCard, readCard, type CardConfirmation } from '../administering/card-files.ts';
import { replaceWorker } from '../administering/cards.ts';
import { commit, openFolder, type Folder } from '../administering/folder.ts';
import { namedVolunteer } from '../administering/members.ts';
import { planAgain } from '../administering/plan.ts';
import { secondOf, SIGNING_HELP, SIGNING_OPTIONS, signWeeks, type Alongside } from '../administering/signing.ts';
import { defineCommand } from '../command.ts';
import { EXIT, UsageError } from '../errors.ts';
import { listLanguage } from '../keys/random-words.ts';
import type { Io } from '../terminal/io.ts';
import { visibleLine } from '../terminal/terminal.ts';

const NAME = 'admin revoke';

export const adminRevoke = defineCommand({
  name: NAME,
  summary: 'Take off a volunteer whose keys may be in other hands, or replace the keys of the worker',
  usage: '(ALIAS | --worker CARD) [options]',
  examples: ['support-relay admin revoke Maple --folder /media/admin', 'support-relay admin revoke --worker season-2026-12-07.card'],
  details: `
Signs this week anew from now on, and every later week that was signed, with higher serials: without the volunteer, or with
the recipients of the worker's new card. It says first what it will do, asks for the passphrase once, and puts into out/ what
has to be copied to the relay, to the worker and to the volunteers. What was sealed before stays readable to whoever has
the keys. A team in which nobody is left is left out. After something broke off, run it again.

  --worker CARD           the worker's new card, made on its server by support-relay worker keys
  --language XX           of the list that the eight words of the card are from
  --words "WORD …"        for scripts: the eight words that the operator read, in any language
${SIGNING_HELP}`,
  options: { worker: { type: 'string' }, language: { type: 'string' }, words: { type: 'string' }, ...SIGNING_OPTIONS },
  arguments: [0, 1],
  run: async ({ worker, words, ...values }, [name], io) => {
    if ((worker === undefined) === (name === undefined)) throw new UsageError('give either ALIAS or --worker CARD', NAME);
    const language = listLanguage(values.language, io, NAME);
    const opened = await openFolder(values.folder ?? '.', io);
    const now = secondOf(io);
    const how = { yes: values.yes === true, words, language };
    const wanted = worker === undefined ? withoutVolunteer(opened, name ?? '', io) : await withWorker(opened, worker, now, how, io);
    await signWeeks(wanted.folder, planAgain(wanted.folder, now), now, values, io, wanted.alongside);
    return EXIT.ok;
  },
});

/** The folder as it will be, and how that is written; nothing is to be written where it is so already. */
type Wanted = { folder: Folder; alongside?: Alongside };

function withoutVolunteer(opened: Folder, name: string, io: Io): Wanted {
  const volunteer = namedVolunteer(opened, name);
  if (volunteer.standing === 'revoked') {
    io.err(`${visibleLine(volunteer.alias)} was revoked already.\n`);
    return { folder: opened };
  }
  const volunteers = opened.state.volunteers.map((each) => (each === volunteer ? { ...each, standing: 'revoked' as const } : each));
  const folder = { ...opened, state: { ...opened.state, volunteers } };
  const question = `Revoke ${visibleLine(volunteer.alias)} (team ${volunteer.team}), whose signer can never come back, and sign this?`;
  return { folder, alongside: { question, write: async () => ({ ...folder, state: await commit(opened, { volunteers }) }) } };
}

async function withWorker(opened: Folder, path: string, now: number, how: CardConfirmation, io: Io): Promise<Wanted> {
  const file = await readCard(path);
  const placement = replaceWorker(opened, file.card, now);
  if (placement.change === null) {
    io.err('This card of the worker is in place already.\n');
    return { folder: opened };
  }
  await confirmCard(placement, file, how, io);
  const cards = new Map([...opened.cards, [placement.ref.digest, file.card]]);
  const folder = { ...opened, cards, state: { ...opened.state, ...placement.change } };
  const question = "Use the worker's former card no longer, and sign this?";
  return { folder, alongside: { question, write: () => keepCard(opened, placement, file) } };
}
