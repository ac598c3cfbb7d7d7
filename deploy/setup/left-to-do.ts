// What setup says at its end: what is left to do, in order, each with the command that does it.
import { relative } from 'node:path';
import type { Host } from '../state/hosts.ts';
import type { Layout } from '../state/layout.ts';
import type { WorkerCard } from './worker-card.ts';

export type Survey = Readonly<{
  layout: Layout;
  host: Host;
  isTrial: boolean;
  /** Null where the worker's keys were made without one. */
  card: WorkerCard | null;
  /** The administrator has signed keyrings for this card. */
  isCardSigned: boolean;
  hasRoot: boolean;
  /** One that has not ended. */
  hasKeyring: boolean;
  /** Names of teams of which nobody has said where their letters go. */
  teamsWithoutInbox: readonly string[];
  hasForm: boolean;
  /** When the offline form ends; null where there is none. */
  offlineFormUntil: Date | null;
  hasBackupRecipient: boolean;
  inboxesChanged: boolean;
  address: string;
  today: string;
}>;

type Step = { readonly what: string; readonly lines: readonly string[] };

/** A path as it is called outside of a container. */
export function shownPath(layout: Layout, path: string): string {
  const inside = relative(layout.dir, path);
  const state = process.env['SUPPORT_RELAY_STATE'] ?? '';
  const near = relative(process.cwd(), layout.dir);
  const dir = state === '' ? (near === '' || near.startsWith('..') ? layout.dir : near) : state.replace(/^\.\/|\/$/g, '');
  return inside === '' ? dir : `${dir}/${inside}`;
}

export function describeLeftToDo(found: Survey): string {
  const steps = stepsOf(found);
  const lines = steps.flatMap(({ what, lines: rest }, index) => [
    `  ${String(index + 1)}. ${what}`,
    ...rest.map((line) => `       ${line}`),
    '',
  ]);
  return ['What is left to do:', '', ...lines].join('\n');
}

function stepsOf(found: Survey): Step[] {
  const { layout, host, card, isTrial, inboxesChanged } = found;
  const { commands } = host;
  const steps: Step[] = [{ what: 'Start all parts, unless they run already.', lines: [commands.firstStart] }];
  if (inboxesChanged)
    steps.push({ what: 'If they ran already: tell the worker about the new inboxes.', lines: [commands.restart('worker')] });
  if (!isTrial && !found.hasRoot) {
    steps.push({ what: "Take the administrator's root.pub.", lines: [commands.setupWith((folder) => `--root-pub ${folder}/root.pub`)] });
  }
  if (!isTrial && card !== null && !found.isCardSigned) {
    steps.push({
      what: "Give the worker's card to the administrator, and read these words to each other, by voice:",
      lines: [commands.carryCard(shownPath(layout, card.file)), card.words.join(' ')],
    });
  }
  if (!isTrial && !found.hasKeyring) {
    steps.push({ what: "Take the administrator's keyrings.", lines: [commands.setupWith((folder) => `--keyrings ${folder}/out/relay`)] });
  }
  if (found.teamsWithoutInbox.length > 0 || (!isTrial && !found.hasKeyring)) {
    const teams = found.teamsWithoutInbox.map((team) => `"${team}"`).join(', ');
    steps.push({
      what: teams === '' ? 'Say where the letters of each team go.' : `Say where letters go for: ${teams}.`,
      lines: [commands.setup(), commands.restart('worker')],
    });
  }
  if (!found.hasForm) {
    steps.push({
      what: 'Have the form built: this happens by itself once root.pub is there. To build it again:',
      lines: [commands.setup(' --form')],
    });
  }
  if (found.offlineFormUntil !== null) {
    steps.push({
      what: `Before ${found.offlineFormUntil.toISOString().slice(0, 10)}: build the form again, for the next weeks of the offline form.`,
      lines: [commands.setup(' --form')],
    });
  }
  if (found.hasBackupRecipient) {
    steps.push({
      what: 'Make a backup, if there is none of what is here now, and keep it away from this server.',
      lines: [commands.backup(found.today)],
    });
  }
  steps.push({ what: 'See what is still missing, at any time:', lines: [commands.status] });
  steps.push({
    what: 'Once the door is open, and the doctor finds nothing: give people the address.',
    lines: [commands.tool(() => 'operator doctor'), `http://${found.address}/`],
  });
  return steps;
}
