import * as z from 'zod';

/** What a machine may say for its operator, so that the operator's commands need no options there. Empty counts as not set. */
const place = z
  .string()
  .optional()
  .transform((text) => text || undefined);

const operatorPlaces = z.object({ OPERATOR_REDIS_SOCKET: place, OPERATOR_REDIS_PASSWORD_FILE: place });

export type OperatorPlaces = z.output<typeof operatorPlaces>;

export const readOperatorPlaces = (env: NodeJS.ProcessEnv = process.env): OperatorPlaces => operatorPlaces.parse(env);
