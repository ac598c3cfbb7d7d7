import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { closedPort, type Certificate } from './smtp.ts';

const DOVECOT = '/usr/sbin/dovecot';
const START_TIMEOUT_MS = 20_000;

export type TestImap = {
  readonly port: number;
  readonly maildir: string;
  readonly user: string;
  readonly password: string;
  stop(): Promise<void>;
};

/**
 * A real Dovecot on loopback with one user, by TLS alone. `messages` are unread in its INBOX, by file name; a name with a folder
 * before it (`.Requests.Legal/1.a`) is in that folder. `prefix` stands before the names of all folders.
 */
export async function startImap(
  certificate: Certificate,
  messages: Readonly<Record<string, string | Uint8Array>>,
  prefix = '',
): Promise<TestImap> {
  const dir = await mkdtemp(join(tmpdir(), 'relay-imap-'));
  const [port, maildir] = [await closedPort(), join(dir, 'mail', 'Maildir')];
  const [user, password] = ['team@example.org', 'geheim and more'];
  for (const folder of ['new', 'cur', 'tmp']) await mkdir(join(maildir, folder), { recursive: true });
  for (const [name, content] of Object.entries(messages)) {
    const [file, folder = ''] = name.split('/').reverse() as [string, string?];
    for (const sub of ['new', 'cur', 'tmp']) await mkdir(join(maildir, folder, sub), { recursive: true });
    await writeFile(join(maildir, folder, 'new', file), content);
  }
  await mkdir(join(dir, 'run'));
  await writeFile(join(dir, 'users'), `${user}:{PLAIN}${password}\n`);
  // Dovecot does not touch mail as root, so there the mail belongs to nobody.
  const owner =
    userInfo().uid === 0
      ? { user: 'nobody', group: 'nogroup' }
      : { user: userInfo().username, group: execFileSync('id', ['-gn'], { encoding: 'utf8' }).trim() };
  if (userInfo().uid === 0) {
    execFileSync('chown', ['-R', `${owner.user}:${owner.group}`, join(dir, 'mail')]);
    execFileSync('chmod', ['711', dir]);
  }
  await writeFile(join(dir, 'dovecot.conf'), configuration({ dir, maildir, port, certificate, owner, prefix }));
  const child = spawn(DOVECOT, ['-F', '-c', join(dir, 'dovecot.conf')], { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const ended = once(child, 'exit');
  await listening(port, () => {
    if (child.exitCode !== null) throw new Error(`dovecot ended: ${log}`);
  });
  return {
    port,
    maildir,
    user,
    password,
    stop: async () => {
      if (child.exitCode === null) child.kill('SIGTERM');
      await ended;
      await rm(dir, { recursive: true, force: true });
    },
  };
}

type Settings = {
  prefix: string;
  dir: string;
  maildir: string;
  port: number;
  certificate: Certificate;
  owner: { user: string; group: string };
};

function configuration({ dir, maildir, port, certificate, owner, prefix }: Settings): string {
  return `
base_dir = ${dir}/run
state_dir = ${dir}/run
log_path = /dev/stderr
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = <${certificate.file}
ssl_key = <${join(certificate.dir, 'key.pem')}
default_internal_user = ${owner.user}
default_internal_group = ${owner.group}
default_login_user = ${owner.user}
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:${maildir}
namespace inbox {
  inbox = yes
  separator = .
  prefix = ${prefix}
}
passdb {
  driver = passwd-file
  args = ${dir}/users
}
userdb {
  driver = static
  args = uid=${owner.user} gid=${owner.group} home=${dir}/mail
}
service imap-login {
  chroot =
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = ${String(port)}
    ssl = yes
  }
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
`;
}

async function listening(port: number, check: () => void): Promise<void> {
  const end = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    check();
    const socket = connect(port, '127.0.0.1');
    const there = await Promise.race([
      once(socket, 'connect').then(
        () => true,
        () => false,
      ),
      sleep(START_TIMEOUT_MS, false, { ref: false }),
    ]);
    socket.destroy();
    if (there) return;
    if (Date.now() > end) throw new Error('dovecot does not listen');
    await sleep(50);
  }
}
