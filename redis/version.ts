/**
 * The version of the state: of its files (the file `version`) and of what is in Redis (the key `version`), which are numbered together.
 * Whoever changes what an earlier program wrote raises it, and adds a step to deploy/upgrade.ts or worker/upgrade.ts.
 */
export const STATE_VERSION = 1;
