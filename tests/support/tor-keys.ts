// The keys of the private network's relays and directory authorities, made by tor's own programs.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TorNode } from './tor-config.ts';

export const TOR_ENVIRONMENT = { PATH: `${process.env['PATH'] ?? ''}:/usr/bin:/usr/sbin`, HOME: '/nonexistent', LC_ALL: 'C' };

/** @returns the relay's fingerprint, and the line that names an authority to others */
export async function makeTorKeys({ name, dir, address, orPort, dirPort }: TorNode): Promise<{ fingerprint: string; authority?: string }> {
  const keys = join(dir, 'keys');
  await mkdir(keys, { recursive: true, mode: 0o700 });
  const fingerprint = async (): Promise<string> => {
    const anyAuthority = `x 127.0.0.1:1 ${'f'.repeat(40)}`;
    const settings = [
      '--DataDirectory',
      dir,
      '--ORPort',
      `${address}:${String(orPort)}`,
      '--Nickname',
      name,
      '--DirAuthority',
      anyAuthority,
    ];
    const said = await output('tor', [
      '--defaults-torrc',
      '/dev/null',
      '--ignore-missing-torrc',
      '-f',
      '/dev/null',
      '--hush',
      '--list-fingerprint',
      ...settings,
    ]);
    return found(said, new RegExp(`^${name} ((?:[0-9A-F]{4} ?){10})$`, 'm')).replaceAll(' ', '');
  };
  if (dirPort === undefined) return { fingerprint: await fingerprint() };
  const certificate = join(keys, 'authority_certificate');
  const files = ['-i', join(keys, 'authority_identity_key'), '-s', join(keys, 'authority_signing_key'), '-c', certificate];
  // The passphrase of a key that lives only as long as this folder.
  await output(
    'tor-gencert',
    ['--create-identity-key', '--passphrase-fd', '0', '-m', '2', '-a', `${address}:${String(dirPort)}`, ...files],
    'passphrase\n',
  );
  const v3 = found(await readFile(certificate, 'latin1'), /^fingerprint ([0-9A-F]{40})$/m);
  const own = await fingerprint();
  return {
    fingerprint: own,
    authority: `DirAuthority ${name} orport=${String(orPort)} no-v2 v3ident=${v3} ${address}:${String(dirPort)} ${own}`,
  };
}

async function output(command: string, args: readonly string[], input = ''): Promise<string> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: TOR_ENVIRONMENT });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${command} ended with code ${String(code)}: ${text.trim()}`);
  return text;
}

function found(text: string, pattern: RegExp): string {
  const match = pattern.exec(text)?.[1];
  if (match === undefined) throw new Error(`tor did not say ${String(pattern)}`);
  return match;
}
