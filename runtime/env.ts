import { isAbsolute } from 'node:path';
import * as z from 'zod';
import { textOf } from '../crypto/text-file.ts';
import { readRegularFileSync } from './files.ts';
import { errorCode } from './log.ts';

/** EX_CONFIG of sysexits.h: a supervisor need not try again until somebody changes the configuration. */
const EXIT_CONFIG = 78;

/** A password or a key, with room for a few lines around it. */
const MAX_SECRET_BYTES = 16_384;

export type ListenAddress = { kind: 'unix'; path: string } | { kind: 'loopback'; port: number };

/** `unix:/absolute/path` or `127.0.0.1:PORT`. We never listen on an address that a network could reach. */
export const listenAddress = z.string().transform((text, context): ListenAddress => {
  const unix = /^unix:(?<path>\/.+)$/.exec(text)?.groups?.['path'];
  if (unix !== undefined) return { kind: 'unix', path: unix };
  const port = Number(/^127\.0\.0\.1:(?<port>\d{1,5})$/.exec(text)?.groups?.['port'] ?? NaN);
  if (port <= 65_535) return { kind: 'loopback', port };
  context.addIssue({ code: 'custom', message: 'expected unix:/path or 127.0.0.1:PORT' });
  return z.NEVER;
});

export const absolutePath = z.string().refine(isAbsolute, { error: 'expected an absolute path' });

/** The trimmed text of the file that the variable names, for secrets that must not be in the environment itself. */
export const secretFile = absolutePath.transform((path, context): string => {
  try {
    const secret = textOf(readRegularFileSync(path, MAX_SECRET_BYTES)).trim();
    if (secret !== '') return secret;
    context.addIssue({ code: 'custom', message: 'the file is empty' });
  } catch (error) {
    context.addIssue({ code: 'custom', message: `the file cannot be read (${errorCode(error)})` });
  }
  return z.NEVER;
});

/** A whole number in an environment variable, from `min` to `max`. */
export function integer(min: number, max: number) {
  return z
    .string()
    .regex(/^\d{1,15}$/, { error: `expected a whole number from ${String(min)} to ${String(max)}` })
    .transform(Number)
    .pipe(z.number().int().min(min).max(max));
}

/** The most that relays let in. Relay and worker read the same variables. */
export const poolLimit = integer(1, 1_000_000).default(20_000);
export const seenLimit = integer(1, 100_000_000).default(1_000_000);

/** Every problem of `env`, one line each, by variable. Values are not repeated: they may be secrets. */
export function parseEnv<T>(schema: z.ZodType<T>, env: NodeJS.ProcessEnv): { value: T } | { problems: string[] } {
  const result = schema.safeParse(env);
  if (result.success) return { value: result.data };
  return {
    problems: result.error.issues.map(({ path, message }) => {
      const name = path.join('.') || 'environment';
      return env[name] === undefined ? `${name}: missing` : `${name}: ${message}`;
    }),
  };
}

/** Returns the configuration, or names every problem on stderr and exits. Only `config.ts` files call it. */
export function readEnv<T>(schema: z.ZodType<T>, env: NodeJS.ProcessEnv): T {
  const result = parseEnv(schema, env);
  if ('value' in result) return result.value;
  return endMisconfigured(result.problems);
}

/** Ends the process with exit code 78 and every problem on stderr. */
export function endMisconfigured(problems: readonly string[]): never {
  process.stderr.write(problems.map((problem) => `configuration: ${problem}\n`).join(''));
  process.exit(EXIT_CONFIG);
}
