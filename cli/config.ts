import * as z from 'zod';
import { installation } from '../runtime/installation.ts';
import { listenAddress } from '../runtime/env.ts';

/** What a machine may say for its operator, so that the operator's commands need no options there. Empty counts as not set. */
const place = z
  .string()
  .optional()
  .transform((text) => text || undefined);

const operatorPlaces = z.object({
  OPERATOR_INSTALLATION: installation,
  // The status': where the operator's service answers.
  OPERATOR_LISTEN: listenAddress.optional().catch(undefined),
  OPERATOR_REDIS_SOCKET: place,
  OPERATOR_REDIS_PASSWORD_FILE: place,
  // The doctor's.
  OPERATOR_ONION_FILE: place,
  OPERATOR_TOR_SOCKS: place,
  OPERATOR_DISK: place,
  OPERATOR_STATE: place,
});

export type OperatorPlaces = z.output<typeof operatorPlaces>;

export const readOperatorPlaces = (env: NodeJS.ProcessEnv = process.env): OperatorPlaces => operatorPlaces.parse(env);
