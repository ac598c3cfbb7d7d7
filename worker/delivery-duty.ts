import { errorCode, log } from '../runtime/log.ts';
import type { OutboxDelivery } from './deliver.ts';
import type { Outbox } from './outbox.ts';
import type { Duty } from './rounds.ts';
import type { TestLetters } from './test-letter.ts';

/**
 * Delivers to one inbox, and does what the operator has asked for it. What of that fails, as a test letter when memory is full, holds up
 * none of the letters.
 */
export function deliveryDuty(name: string, outbox: Outbox, delivery: OutboxDelivery, tests: TestLetters): Duty {
  const attempt = (reason: string, work: Promise<void>): Promise<void> =>
    work.catch((error: unknown) => log.error('round failed', { kind: name, reason, code: errorCode(error) }));
  return async (stopping) => {
    await attempt('retry', outbox.retryDead(stopping));
    await attempt('test-letter', tests.put());
    await delivery.run(stopping);
    await attempt('test-letter', tests.report(delivery.trouble));
  };
}
