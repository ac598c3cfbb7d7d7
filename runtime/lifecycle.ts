import { errorCode, log } from './log.ts';

export type Service = {
  start(): Promise<void>;
  /** Finishes the work in progress. */
  destroy(): Promise<void>;
};

/** How long work in progress may take after a signal. A supervisor should wait a little longer before it kills. */
export const STOP_TIMEOUT_MS = 30_000;

/** Runs a service until SIGTERM or SIGINT: all of an entry file but for what it creates. */
export async function runService(part: 'relay' | 'worker' | 'operator', create: () => Service | Promise<Service>): Promise<void> {
  // Node prints all properties of an uncaught error, and ioredis puts the command's arguments there: a parcel.
  const crash = (error: unknown) => {
    log.error('crashed', { part, code: errorCode(error) });
    process.exit(1);
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);

  // Node prints warnings in full, and one about a malformed URL quotes what a client sent.
  process.removeAllListeners('warning');
  process.on('warning', (warning) => log.warn('runtime warning', { part, code: errorCode(warning) }));

  log.info('starting', { part });
  let service: Service;
  try {
    service = await create();
    await service.start();
  } catch (error) {
    log.error('start failed', { part, code: errorCode(error) });
    process.exit(1);
  }
  log.info('started', { part });

  let stopping = false;
  const stop = (signal: NodeJS.Signals) => {
    // Whoever asks twice does not want to wait.
    if (stopping) process.exit(1);
    stopping = true;
    log.info('stopping', { part, signal });
    setTimeout(() => {
      log.error('stop failed', { part, code: 'TIMEOUT' });
      process.exit(1);
    }, STOP_TIMEOUT_MS).unref();
    service.destroy().then(
      () => {
        log.info('stopped', { part });
        process.exit(0);
      },
      (error: unknown) => {
        log.error('stop failed', { part, code: errorCode(error) });
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}
