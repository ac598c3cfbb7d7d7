// `npm run test:kills`: what was accepted survives every crash, and nothing is deleted unasked.
import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import PostalMime from 'postal-mime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PARTS, type Part } from '../../deploy/demo/parts.ts';
import { startDeployment, type Deployment } from '../support/deployment.ts';
import { maildirPaths } from '../support/maildir.ts';
import { OpenedInbox } from '../support/opened-inbox.ts';
import { until } from '../support/worker.ts';
import { compilePowerLoss } from '../fault/power-loss.ts';
import { Ledger, waitingFor } from './ledger.ts';
import { converse } from './people.ts';

const KILLS = Number(process.env['TEST_KILLS'] ?? 500);
const PEOPLE = 4;
const TOLD_EVERY = 25;
/** Between two kills, and until the victim starts again. */
const BETWEEN_MS = [100, 1_000] as const;
const DEAD_MS = [0, 400] as const;
/** Many times what a kill takes on an idle machine. */
const PATIENCE_A_KILL_MS = 5_000;
/** A tick whose worker was killed comes again once BullMQ notices, after about half a minute. */
const DONE_WITHIN_MS = 300_000;

let folder: string;
let powerLoss: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'support-relay-kills-'));
  powerLoss = compilePowerLoss(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A second worker over the same Redis. */
class SecondWorker {
  readonly #deployment: Deployment;
  #child: ChildProcess;

  constructor(deployment: Deployment) {
    this.#deployment = deployment;
    this.#child = deployment.spawnAnother('worker');
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exit;
  }

  start(): void {
    this.#child = this.#deployment.spawnAnother('worker');
  }
}

type Victim = { readonly name: string; kill(): Promise<void>; start(): void };

const attempts = ({ failed, offered }: Ledger): string => `${String(failed)} of ${String(offered)} attempts failed`;

async function killAll(victims: readonly Victim[], count: number, ledger: Ledger): Promise<Record<string, number>> {
  const killed: Record<string, number> = {};
  for (let done = 1; done <= count; done += 1) {
    await sleep(randomInt(...BETWEEN_MS));
    const victim = victims[randomInt(victims.length)];
    if (victim === undefined) throw new Error('nobody to kill');
    await victim.kill();
    killed[victim.name] = (killed[victim.name] ?? 0) + 1;
    await sleep(randomInt(...DEAD_MS));
    victim.start();
    if (done % TOLD_EVERY === 0) {
      const counts = [
        `${String(ledger.texts.size)} requests and notes`,
        `${String(ledger.replies.length)} replies`,
        `${String(ledger.removals)} removals`,
      ];
      console.log(`${String(done)} of ${String(count)} kills: ${counts.join(', ')}; ${attempts(ledger)}`);
    }
  }
  return killed;
}

/** The texts in the inbox, each with the Message-IDs under which it came. */
async function delivered(deployment: Deployment, inbox: OpenedInbox): Promise<Map<string, Set<string>>> {
  const found = new Map<string, Set<string>>();
  for (const path of await maildirPaths(deployment.inbox)) {
    const { messageId = '' } = await PostalMime.parse(await readFile(path));
    for (const content of await inbox.contentsOf(path)) {
      const text = 'message' in content ? content.message : content.kind === 'note' ? content.note.text : '';
      found.set(text, (found.get(text) ?? new Set()).add(messageId));
    }
  }
  return found;
}

describe.each<{ name: string; kills: number; losesPower: boolean }>(
  [
    { name: 'kill -9', kills: Math.ceil(KILLS / 2), losesPower: false },
    { name: 'kill -9, and what Redis had not synced is lost', kills: Math.floor(KILLS / 2), losesPower: true },
  ].filter(({ kills }) => kills > 0),
)('$kills times $name of relay, two workers and Redis', ({ kills, losesPower }) => {
  let deployment: Deployment;
  let second: SecondWorker;
  beforeAll(async () => {
    deployment = await startDeployment({ flushProbability: 0.5, ...(losesPower && { environment: { redis: { LD_PRELOAD: powerLoss } } }) });
    second = new SecondWorker(deployment);
  });
  afterAll(async () => {
    await second.kill();
    await deployment.stop();
  });

  test(
    'loses nothing that was accepted, deletes nothing that was not listed, and delivers nothing twice',
    { timeout: kills * PATIENCE_A_KILL_MS + 2 * DONE_WITHIN_MS },
    async () => {
      const ledger = new Ledger();
      const over = new AbortController();
      const part = (name: Part): Victim => ({ name, kill: () => deployment.kill(name), start: () => deployment.start(name) });
      const victims = [...PARTS.map(part), { name: 'second worker', kill: () => second.kill(), start: () => second.start() }];
      const people = Array.from({ length: PEOPLE }, (_, index) => converse(deployment, ledger, `Лицо ${String(index)}`, over.signal));
      const killed = await killAll(victims, kills, ledger);
      over.abort();
      await Promise.all(people);
      for (const name of PARTS) if (!deployment.isRunning(name)) deployment.start(name);
      await deployment.untilOpen();

      const kept = ledger.replies.filter(({ accepted, removal }) => accepted && removal === 'none');
      const gone = ledger.replies.filter(({ removal }) => removal === 'accepted');
      const opened = new OpenedInbox(deployment.inbox, deployment.identity);
      const state = async () => {
        const inbox = await delivered(deployment, opened);
        const threads = [...new Set(ledger.replies.map(({ thread }) => thread))];
        const waiting = new Set<string>();
        for (const thread of threads) {
          const ids = await waitingFor(deployment, thread);
          for (const id of ids ?? []) waiting.add(id);
          if (ids !== null && new Set(ids).size !== ids.length) throw new Error('a reply lies twice in a mailbox');
        }
        return {
          lostTexts: [...ledger.texts].filter((text) => !inbox.has(text)),
          lostReplies: kept.filter(({ id }) => !waiting.has(id)).map(({ id }) => id),
          undeleted: gone.filter(({ id }) => waiting.has(id)).map(({ id }) => id),
          twice: [...inbox].filter(([, messageIds]) => messageIds.size > 1).map(([text]) => text),
        };
      };
      const nothing = { lostTexts: [], lostReplies: [], undeleted: [], twice: [] };
      await until('the end of all work', async () => JSON.stringify(await state()) === JSON.stringify(nothing), DONE_WITHIN_MS).catch(
        () => undefined,
      );
      const end = await state();
      const victimCounts = Object.entries(killed).map(([name, count]) => `${name} ${String(count)}`);
      const outcomes = [
        `${String(ledger.texts.size)} requests and notes in the inbox`,
        `${String(kept.length)} replies waiting`,
        `${String(gone.length)} deleted as asked`,
      ];
      const faults = `lost ${String(end.lostTexts.length + end.lostReplies.length)}, twice ${String(end.twice.length)}`;
      console.log(`${String(kills)} kills (${victimCounts.join(', ')}): ${outcomes.join(', ')}; ${attempts(ledger)}; ${faults}`);
      expect(end, await deployment.logs()).toEqual(nothing);
      // The test is worth something only if it killed under load and still got much through.
      expect(ledger.failed).toBeGreaterThan(kills / 10);
      expect([ledger.texts.size, kept.length, gone.length].every((count) => count > kills / 10)).toBe(true);
    },
  );
});
