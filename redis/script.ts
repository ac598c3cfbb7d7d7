import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';

type Argument = string | number | Buffer;

/** One of the worker's Lua scripts: EVALSHA, or EVAL when Redis does not know it, as after SCRIPT FLUSH or a restart. */
export class Script {
  readonly #lua: string;
  readonly #sha: string;

  constructor(lua: string) {
    this.#lua = lua;
    this.#sha = createHash('sha1').update(lua).digest('hex');
  }

  /** Strings in the reply arrive as Buffers, since what we keep in Redis is mostly bytes. */
  async run(redis: Redis, keys: readonly (string | Buffer)[], args: readonly Argument[]): Promise<unknown> {
    const rest = [...keys, ...args];
    try {
      return await redis.callBuffer('EVALSHA', this.#sha, keys.length, ...rest);
    } catch (error) {
      if (!isNoScript(error)) throw error;
      return await redis.callBuffer('EVAL', this.#lua, keys.length, ...rest);
    }
  }
}

function isNoScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}
