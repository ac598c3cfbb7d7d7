// What whoever starts Redis (deploy/redis/start.sh) leaves beside its socket when it ends because it cannot load its append-only file.
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const NOTE = 'damaged';

/** True when Redis, which would answer on this socket, ended because its append-only file is damaged. */
export async function isFileDamaged(socketPath: string): Promise<boolean> {
  return stat(join(dirname(socketPath), NOTE)).then(
    () => true,
    () => false,
  );
}
