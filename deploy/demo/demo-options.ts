import { parseArgs } from 'node:util';

export type DemoOptions = Readonly<{ port: number | null; dir: string | null }>;

export const USAGE = `npm run demo -- [--port PORT] [--dir DIR]

Starts Redis, the relay and the worker on this machine, with throwaway keys and a Maildir inbox, to try a request from end to end.

  --port PORT  port of the form on 127.0.0.1; by default 8080, or a free port if that is taken
  --dir DIR    keep keys, requests and DIR/ready.json there; by default they are in a temporary folder, removed at the end
  --help       show this text`;

export class DemoUsageError extends Error {}

/** Throws DemoUsageError, with a message for the person at the terminal, when an option is wrong. */
export function readDemoOptions(args: readonly string[]): DemoOptions | 'help' {
  const values = parse(args);
  if (values.help === true) return 'help';
  if (values.dir === '') throw new DemoUsageError('--dir needs a folder');
  return { port: values.port === undefined ? null : readPort(values.port), dir: values.dir ?? null };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: { port: { type: 'string' }, dir: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    }).values;
  } catch (error) {
    throw new DemoUsageError(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  }
}

function readPort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw new DemoUsageError(`--port needs a number from 1 to 65535, not ${text}`);
  return port;
}
