import * as z from 'zod';
import { absolutePath, listenAddress, readEnv, secretFile, type ListenAddress } from '../runtime/env.ts';
import { parseSocks, type SocksAddress } from '../runtime/socks.ts';
import type { RedisTarget } from '../redis/connection.ts';
import { commandsOf, installation, type OperatorCommands } from '../runtime/installation.ts';
import type { OnionCheck } from './onion.ts';

export type NetworkAddress = { readonly host: string; readonly port: number };

export type OperatorConfig = {
  /** For the operator alone: the page, and all the rest. */
  readonly listen: ListenAddress;
  /** For Prometheus, on a network that nobody else is in: the metrics alone. Null: none. */
  readonly metricsListen: NetworkAddress | null;
  readonly redis: RedisTarget;
  /** Null: tor and the onion address are not looked at. */
  readonly onion: OnionCheck | null;
  /** A path on the file system that is watched; null: none is. */
  readonly disk: string | null;
  /** What whoever runs this types. */
  readonly commands: OperatorCommands;
};

const networkAddress = z.string().transform((text, context): NetworkAddress => {
  const [, host = '', digits = ''] = /^([A-Za-z0-9.-]{1,253}):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (host !== '' && port <= 65_535) return { host, port };
  context.addIssue({ code: 'custom', message: 'expected HOST:PORT' });
  return z.NEVER;
});

const socksAddress = z.string().transform((text, context): SocksAddress => {
  const address = parseSocks(text);
  if (address !== null) return address;
  context.addIssue({ code: 'custom', message: 'expected unix:/path or HOST:PORT' });
  return z.NEVER;
});

export const operatorEnv = z
  .object({
    OPERATOR_LISTEN: listenAddress,
    OPERATOR_METRICS_LISTEN: networkAddress.optional(),
    OPERATOR_REDIS_SOCKET: absolutePath,
    OPERATOR_REDIS_USER: z.string().min(1).default('operator'),
    OPERATOR_REDIS_PASSWORD_FILE: secretFile,
    OPERATOR_ONION_FILE: absolutePath.optional(),
    OPERATOR_TOR_SOCKS: socksAddress.optional(),
    OPERATOR_DISK: absolutePath.optional(),
    OPERATOR_INSTALLATION: installation,
  })
  .refine((env) => (env.OPERATOR_ONION_FILE === undefined) === (env.OPERATOR_TOR_SOCKS === undefined), {
    error: 'set it together with OPERATOR_ONION_FILE, or neither',
    path: ['OPERATOR_TOR_SOCKS'],
  })
  .transform((env): OperatorConfig => ({
    listen: env.OPERATOR_LISTEN,
    metricsListen: env.OPERATOR_METRICS_LISTEN ?? null,
    redis: { socketPath: env.OPERATOR_REDIS_SOCKET, username: env.OPERATOR_REDIS_USER, password: env.OPERATOR_REDIS_PASSWORD_FILE },
    onion:
      env.OPERATOR_ONION_FILE === undefined || env.OPERATOR_TOR_SOCKS === undefined
        ? null
        : { socks: env.OPERATOR_TOR_SOCKS, addressFile: env.OPERATOR_ONION_FILE },
    disk: env.OPERATOR_DISK ?? null,
    commands: commandsOf(env.OPERATOR_INSTALLATION),
  }));

export function readOperatorConfig(): OperatorConfig {
  return readEnv(operatorEnv, process.env);
}
