// A worker over a real Redis that also delivers to the inboxes of its configuration, round by round.
import { OutboxDelivery } from '../../worker/deliver.ts';
import { guardedInbox, type InboxSettings } from '../../worker/inboxes/kinds.ts';
import { roundLease, withLease } from '../../worker/lease.ts';
import { Outbox } from '../../worker/outbox.ts';
import { WorkerStand, type Files, type PartsWith, type StandOptions } from './stand.ts';

/** This worker, not one that was killed. */
const INSTANCE = '0a'.repeat(16);

export class WholeWorkerStand extends WorkerStand<Files> {
  /** Of one worker, round after round. */
  readonly #deliveries: ReadonlyMap<string, () => Promise<void>>;
  #parts: Awaited<ReturnType<WorkerStand['worker']>> | undefined;

  constructor(parts: PartsWith<Files>) {
    super(parts);
    const { inboxes } = this.bench.config;
    this.#deliveries = new Map(inboxes.map((settings) => [settings.id, this.#deliveryTo(settings)]));
  }

  /** Everything a worker does in a round, in turn, after it has read its keyrings again. */
  async wholeRound(): Promise<void> {
    this.#parts ??= await this.worker(this.#surroundings());
    await this.#parts.shelf.load();
    await this.#parts.mix.round(() => false);
    for (const inbox of this.#deliveries.keys()) await this.deliver(inbox);
    await this.#parts.housekeeping.run();
  }

  /** The next round is that of a worker that has just started. */
  endWorker(): void {
    this.#parts = undefined;
  }

  async deliver(inbox: string): Promise<void> {
    const lease = roundLease(`deliver-${inbox}`, INSTANCE, this.bench.config.roundSeconds * 1000);
    await withLease(this.client, lease, async () => this.#deliveries.get(inbox)?.());
  }

  #deliveryTo(settings: InboxSettings): () => Promise<void> {
    const outbox = new Outbox(this.client, settings.id);
    const delivery = new OutboxDelivery(outbox, guardedInbox(settings, null));
    return async () => {
      await outbox.retryDead(() => false);
      await delivery.run(() => false);
    };
  }

  /** The stand assigns `inboxes` to the bench's team unless `others` has that team too. */
  #surroundings(): StandOptions {
    const { inboxes } = this.bench.config;
    const byTeam = new Map<string, Outbox[]>();
    for (const { id, team } of inboxes) byTeam.set(team, [...(byTeam.get(team) ?? []), new Outbox(this.client, id)]);
    return { inboxes: inboxes.map(({ id }) => id), others: byTeam };
  }
}
