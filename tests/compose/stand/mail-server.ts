// A real mail server in a container of its own: postfix takes mail with a login, dovecot gives it out.
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../../../runtime/root.ts';
import { makeCertificate } from '../../support/smtp.ts';
import { addressOn, docker, RUN } from './docker.ts';

const HOST = 'mail.example.org';
const TEAM = { address: 'team@example.org', password: 'what the team types' };
const RELAY = { address: 'relay@example.org', password: 'what the worker has' };

export type MailServer = {
  /** For the worker: settings of an inbox, in a folder with its password and the certificate. */
  readonly inbox: string;
  /** For volunteers. */
  readonly imap: { readonly url: string; readonly passwordFile: string; readonly certificate: string };
  /** How many mails the team has got. */
  count(): number;
};

/** @param name of its container; @param dir an empty folder for its files; @param network where it can be reached as mail.example.org */
export async function startMailServer(name: string, dir: string, network: string): Promise<MailServer> {
  const image = `${RUN}-mail`;
  docker('build', '--quiet', '--tag', image, join(ROOT, 'tests/compose/mail'));
  const [server, worker, volunteer] = ['server', 'worker', 'volunteer'].map((name) => join(dir, name)) as [string, string, string];
  for (const folder of [server, worker, volunteer]) await mkdir(folder, { recursive: true });
  docker(
    ...['run', '--detach', '--rm', '--name', name, '--hostname', HOST],
    ...['--network', network, '--network-alias', HOST, '--volume', `${server}:/certificate:ro`, image],
  );
  const address = addressOn(network, name);
  const certificate = makeCertificate(`DNS:${HOST},IP:${address}`);
  for (const folder of [server, worker, volunteer]) await copyFile(certificate.file, join(folder, 'cert.pem'));
  await copyFile(join(certificate.dir, 'key.pem'), join(server, 'key.pem'));
  certificate.remove();
  await writeFile(join(server, 'users'), [TEAM, RELAY].map((user) => `${user.address}:{PLAIN}${user.password}\n`).join(''));
  await writeFile(join(server, 'ready'), '');
  const inbox = join(worker, 'inbox.json');
  const settings = { host: HOST, port: 465, tls: 'implicit', user: RELAY.address, passwordFile: 'password', caFile: 'cert.pem' };
  await writeFile(inbox, JSON.stringify({ ...settings, from: RELAY.address, to: TEAM.address }));
  await writeFile(join(worker, 'password'), RELAY.password);
  const passwordFile = join(volunteer, 'password');
  await writeFile(passwordFile, TEAM.password);
  const url = `imaps://${encodeURIComponent(TEAM.address)}@${address}/`;
  const count = (): number =>
    Number(docker('exec', name, 'sh', '-c', 'find /var/mail/all/team/new /var/mail/all/team/cur -type f | wc -l'));
  return { inbox, imap: { url, passwordFile, certificate: join(volunteer, 'cert.pem') }, count };
}
