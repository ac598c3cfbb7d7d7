import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';

type Argument = string | number | Buffer;

/** A Lua script that survives SCRIPT FLUSH and a restart of Redis: EVALSHA, and EVAL when Redis does not know it. */
export class Script {
  private readonly lua: string;
  private readonly sha: string;
  private readonly suffix: string;

  /** @param access with `read` Redis refuses what would write, and asks for no right to write the keys */
  constructor(lua: string, access: 'read' | 'write' = 'write') {
    this.lua = lua;
    this.sha = createHash('sha1').update(lua).digest('hex');
    this.suffix = access === 'read' ? '_RO' : '';
  }

  /** Strings in the reply arrive as Buffers, since what we keep in Redis is mostly bytes. */
  async run(redis: Redis, keys: readonly (string | Buffer)[], args: readonly Argument[]): Promise<unknown> {
    const rest = [...keys, ...args];
    try {
      return await redis.callBuffer(`EVALSHA${this.suffix}`, this.sha, keys.length, ...rest);
    } catch (error) {
      if (!isNoScript(error)) throw error;
      return await redis.callBuffer(`EVAL${this.suffix}`, this.lua, keys.length, ...rest);
    }
  }
}

function isNoScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}
