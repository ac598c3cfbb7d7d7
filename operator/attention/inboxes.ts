import type { InboxTrouble, Magnitude } from '../../redis/state.ts';
import type { OperatorCommands } from '../../runtime/installation.ts';
import type { Attention } from './attention.ts';

/** `waiting`: at the last round; null: no round has counted them. `troubles`: each with its reason, in one word. */
export type InboxStatus = { id: string; waiting: Magnitude | null; dead: Magnitude; troubles: Partial<Record<InboxTrouble, string>> };

const BACKLOG: readonly Magnitude[] = ['1000-9999', '10000+'];

export function ofInbox({ id, waiting, dead, troubles }: InboxStatus, { tool, restart }: OperatorCommands): Attention[] {
  const list: Attention[] = [];
  const { failing, deferring } = troubles;
  if (failing !== undefined) {
    list.push({
      code: 'INBOX_FAILING',
      what: `inbox ${id} takes nothing at the moment (${failing})`,
      advice: 'check that its server or disk is there (docs/operations.md lists the reasons); the worker tries again by itself',
    });
  }
  if (deferring !== undefined) {
    list.push({
      code: 'INBOX_DEFERRING',
      what: `inbox ${id} refuses some letters, which wait (${deferring})`,
      advice: 'find out why its server refuses them (docs/operations.md lists the reasons); the worker tries again by itself',
    });
  }
  if (troubles.unconfigured !== undefined) {
    list.push({
      code: 'INBOX_UNCONFIGURED',
      what: `letters wait for inbox ${id}, which the worker does not have`,
      advice: `put it back into inboxes.json until it is empty, then: ${restart('worker')}`,
    });
  }
  if (dead !== '0') {
    list.push({
      code: 'INBOX_DEAD',
      what: `inbox ${id} refused letters for good (${dead})`,
      advice:
        `look at them: ${tool(() => 'operator dead-letters list')}. Repair the inbox (address, disk, quota), ` +
        `then: ${tool(() => `operator dead-letters retry ${id}`)}`,
    });
  }
  if (waiting !== null && BACKLOG.includes(waiting)) {
    list.push({
      code: 'INBOX_BACKLOG',
      what: `inbox ${id} has ${waiting} letters waiting`,
      advice: 'check that its server is up, reachable and fast enough',
    });
  }
  return list;
}
