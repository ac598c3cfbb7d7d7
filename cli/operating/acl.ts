import { join } from 'node:path';
import { randomBytes, toHex } from '../../crypto/bytes.ts';
import { ready } from '../../crypto/sodium.ts';
import { aclFile } from '../../redis/acl.ts';
import { writeNewFiles } from '../files.ts';

const PASSWORD_BYTES = 32;

export type NewAcl = { aclFile: string; passwordFiles: { relay: string; worker: string; operator: string } };

/** Writes `users.acl` for Redis and a password file for each role, with mode 0600; existing files are never overwritten. */
export async function writeAcl(options: { directory: string }): Promise<NewAcl> {
  await ready;
  const password = (): string => toHex(randomBytes(PASSWORD_BYTES));
  const passwords = { relay: password(), worker: password(), operator: password() };
  const at = (name: string): string => join(options.directory, name);
  const passwordFiles = { relay: at('relay.password'), worker: at('worker.password'), operator: at('operator.password') };
  await writeNewFiles([
    { path: at('users.acl'), content: aclFile(passwords), secret: true },
    { path: passwordFiles.relay, content: passwords.relay, secret: true },
    { path: passwordFiles.worker, content: passwords.worker, secret: true },
    { path: passwordFiles.operator, content: passwords.operator, secret: true },
  ]);
  return { aclFile: at('users.acl'), passwordFiles };
}
