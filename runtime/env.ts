import { isAbsolute } from 'node:path';
import * as z from 'zod';
import { textOf } from '../crypto/text-file.ts';
import { readRegularFileSync } from './files.ts';
import { errorCode } from './log.ts';

/** EX_CONFIG of sysexits.h: a supervisor need not try again before somebody changed the configuration. */
const EXIT_CONFIG = 78;

/** A password or a key, with room for a few lines around it. */
const MAX_SECRET_BYTES = 16_384;

export type ListenAddress = { kind: 'unix'; path: string } | { kind: 'loopback'; port: number };

/** `unix:/absolute/path` or `127.0.0.1:PORT`. Anything a network could reach is not an address we listen on. */
export const listenAddress = z.string().transform((text, context): ListenAddress => {
  const unix = /^unix:(?<path>\/.+)$/.exec(text)?.groups?.['path'];
  if (unix !== undefined) return { kind: 'unix', path: unix };
  const port = Number(/^127\.0\.0\.1:(?<port>\d{1,5})$/.exec(text)?.groups?.['port'] ?? NaN);
  if (port <= 65_535) return { kind: 'loopback', port };
  context.addIssue({ code: 'custom', message: 'expected unix:/path or 127.0.0.1:PORT' });
  return z.NEVER;
});

export const absolutePath = z.string().refine(isAbsolute, { error: 'expected an absolute path' });

/** The trimmed text of the file that the variable names, for what must not stand in an environment. */
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

/** A whole number in an environment variable, within bounds. */
export function integer(least: number, most: number) {
  return z
    .string()
    .regex(/^\d{1,15}$/, { error: `expected a whole number from ${least} to ${most}` })
    .transform(Number)
    .pipe(z.number().int().min(least).max(most));
}

/** What relays let in at most; relay and worker read the same variables. */
export const poolLimit = integer(1, 1_000_000).default(20_000);
export const seenLimit = integer(1, 100_000_000).default(1_000_000);

/** Every problem of `env` in one line each, by variable; values are not repeated, they may be secrets. */
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

/** The configuration, or the end of the process with every problem named on stderr. Only `config.ts` files call it. */
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
