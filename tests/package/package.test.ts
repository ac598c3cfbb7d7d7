// The Debian package on a bare Debian: installed and configured by the commands of its document, and taken off again.
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { identityToRecipient } from '../../crypto/age/identity.ts';
import { ready } from '../../crypto/sodium.ts';
import { ROOT } from '../../runtime/root.ts';
import packageFile from '../../package.json' with { type: 'json' };
import { AdminFolder } from '../support/admin-folder.ts';
import { openBrowser, Tab } from '../support/browser.ts';
import { temporaryDirectory } from '../support/cli.ts';
import { DEBIAN_PARTS as PARTS, DEBIAN_STATE as STATE, DebianRelay } from '../support/debian-relay.ts';
import { commandsByHeading } from '../support/documents.ts';
import { http } from '../support/http.ts';
import { TorNetwork, type TorClient } from '../support/tor-network.ts';

const TOR_MS = 120_000;

const variable = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run npm run test:package`);
  return value;
};
const made = variable('PACKAGE_TEST_MADE');
const file = (version: string): string => `support-relay_${version}_amd64.deb`;
const machine = new DebianRelay(variable('PACKAGE_TEST_MACHINE'), { Volunteers: 'Psychologists' });
let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
let network: TorNetwork;
let client: TorClient;
let installing: string[];

beforeAll(async () => {
  await ready;
  dir = await temporaryDirectory();
  installing = (await commandsByHeading('docs/operations.md')).get('Installing on Debian') ?? [];
  network = new TorNetwork(await mkdtemp(join(tmpdir(), 'tor-')), performance.now() + TOR_MS);
  await network.begin();
  client = await network.open();
  machine.run('apt-get -qq update');
}, TOR_MS);
afterAll(async () => {
  await network?.stop();
  await dir?.remove();
});

const door = (): Promise<string> => machine.door();
const requests = (): Promise<string[]> => machine.requests();

test('the package is the same to the byte, made in another folder, time zone and language, and with another umask', async () => {
  const digests = await Promise.all(
    ['here', 'elsewhere'].map(async (place) =>
      createHash('sha256')
        .update(await readFile(join(made, place, file(packageFile.version))))
        .digest('hex'),
    ),
  );
  expect(digests[1]).toBe(digests[0]);
});

test('it installs without a question, and nothing of it runs', () => {
  machine.run(`cp /media/packages/here/${file(packageFile.version)} .`);
  expect(installing[0]).toBe(`sudo apt install ./${file(packageFile.version)}`);
  machine.type(installing[0] ?? '');
  machine.run('systemctl start support-relay.target');
  expect(new Set(machine.states())).toEqual(new Set(['inactive']));
  expect(machine.run('systemctl is-enabled support-relay.target').trim()).toBe('enabled');
  expect(machine.run('support-relay --version')).toContain(packageFile.version);
});

test('systemd finds nothing wrong with its units, and hardly anything that a part may do besides its work', () => {
  const units = [...PARTS, 'prepare'].map((part) => `/lib/systemd/system/support-relay-${part}.service`);
  expect(machine.run(`systemd-analyze verify ${units.join(' ')} /lib/systemd/system/support-relay.target 2>&1`)).toBe('');
  for (const unit of units) machine.run(`systemd-analyze security --offline=true --threshold=19 ${unit}`);
  for (const part of ['relay', 'worker', 'operator', 'redis'])
    machine.run(`systemd-analyze security --offline=true --threshold=9 /lib/systemd/system/support-relay-${part}.service`);
});

test('AppArmor understands its profile for tor, with the rules that Debian has', () => {
  machine.run('apparmor_parser --skip-kernel-load --skip-cache /etc/apparmor.d/support-relay-tor');
});

test('set up and started by the document, it waits for the administrator', async () => {
  machine.setRounds(2);
  machine.run(`echo '${network.joining.join('\n')}' > /etc/support-relay/torrc.d/test.conf`);
  const [, setup = '', start = ''] = installing;
  const said = machine.type(setup);
  expect(said).toContain('What is left to do');
  machine.type(start);
  expect(new Set(machine.states())).toEqual(new Set(['active']));
  await expect.poll(door, { timeout: 30_000 }).toMatch(/"open":false.*"keyring"/);
});

test('with root.pub, keyrings and an inbox, by the document, the door opens', async () => {
  const office = new AdminFolder(dir.path, 'office', new Date());
  await office.done('init', '--no-passphrase');
  const names = ['--name', 'ru=Психологи', '--name', 'en=Psychologists', '--topic', 'psychological:en=Psychological help'];
  await office.done('team', 'psych', ...names);
  const recipients = machine.identities.map(identityToRecipient);
  await office.done('add', await office.card('volunteer', { recipients }), '--team', 'psych', '--alias', 'Maple', '--yes');
  const identities = machine.path(STATE, 'worker/identities');
  const card = (await readdir(identities)).find((name) => name.endsWith('.card')) ?? '';
  await cp(join(identities, card), dir.path('worker.card'));
  await office.done('add', dir.path('worker.card'), '--yes');
  await office.done('season', '--yes');
  const carried = machine.path('/media/carry');
  await cp(join(office.dir, 'out'), join(carried, 'out'), { recursive: true });
  await cp(join(office.dir, 'root.pub'), join(carried, 'root.pub'));

  const [, , , take = '', restart = '', status = ''] = installing;
  machine.type(take);
  machine.type(restart);
  await expect.poll(door, { timeout: 60_000 }).toContain('"open":true');
  // It ends with 5 until tor has announced the address, which takes longer than this.
  await expect.poll(() => machine.type(`${status} || true`), { timeout: 60_000 }).toContain('inbox-1');
  const found = machine.run('support-relay operator doctor --json || true');
  expect(found).toContain('"seen":[');
  expect(found).not.toMatch(/"(?:FILE_\w+|ROOT_KEY_HERE)"/);
});

test('a browser submits over the onion service, and the letter is in the Maildir', async () => {
  const onion = (await readFile(machine.path(STATE, 'onion/address'), 'utf8')).trim();
  await network.reach(client, onion);
  const message = 'Здравствуйте. Пишу через Tor.';
  const browser = await openBrowser('chromium', { socksPort: client.socksPort });
  try {
    const tab = await Tab.open(browser);
    await tab.page.goto(`http://${onion}/`, { waitUntil: 'load', timeout: 60_000 });
    await tab.until('#send:not(:disabled)', 60_000);
    await tab.page.type('#message', message);
    await tab.page.click('#send');
    await tab.until('#accepted', 120_000);
  } finally {
    await browser.close();
  }
  await expect.poll(requests, { timeout: 60_000 }).toEqual([message]);
});

test.each(PARTS)('%s has no right but what it needs', (part) => {
  const unit = `support-relay-${part}`;
  const status = machine.statusOf(unit);
  expect(status).toMatch(/^CapEff:\t0+$/m);
  expect(status).toMatch(/^CapBnd:\t0+$/m);
  expect(status).toMatch(/^NoNewPrivs:\t1$/m);
  expect(status).toMatch(/^Seccomp:\t2$/m);
  const user = part === 'relay' ? 'support-relay' : unit;
  expect(status).toMatch(new RegExp(`^Uid:\t${machine.run(`id -u ${user}`).trim()}\t`, 'm'));
  // Within its own view of the machine: what it could write to, and which networks it has.
  const pid = machine.property(unit, 'MainPID');
  if (part !== 'tor') expect(machine.interfacesOf(part)).toEqual(['lo']);
  const seen = machine.run(`ls -A /proc/${pid}/root/var/lib/support-relay /proc/${pid}/root/home`);
  expect(seen, part).not.toMatch(/^(?:admin|version)$/m);
  expect(machine.run(`touch /proc/${pid}/root/etc/x /proc/${pid}/root/var/lib/x 2>&1`, 1)).toMatch(/Read-only file system/);
});

test('only tor enters the folder of the relay’s socket, and only the relay what it reads', () => {
  const as = (user: string, command: string, code = 0): string =>
    machine.run(`setpriv --reuid=${user} --regid=${user} --init-groups ${command}`, code);
  as('support-relay-tor', 'test -S /run/support-relay/relay/relay.sock');
  for (const user of ['nobody', 'support-relay-worker', 'support-relay-operator', 'support-relay-redis', 'debian-tor']) {
    const group = user === 'nobody' ? 'nogroup' : user;
    machine.run(`setpriv --reuid=${user} --regid=${group} --init-groups test -S /run/support-relay/relay/relay.sock`, 1);
  }
  for (const user of ['support-relay', 'support-relay-tor', 'support-relay-operator']) {
    as(user, `test -r ${STATE}/worker/identities/.`, 1);
    as(user, `test -r ${STATE}/redis/worker.password`, 1);
  }
});

test('with the lines of the document the worker has a network, and Prometheus the metrics, and nothing else', async () => {
  const text = await readFile(join(ROOT, 'docs/operations.md'), 'utf8');
  const blocks = [...text.matchAll(/`sudo systemctl edit (support-relay-\w+)`[^`]*```ini\n([^`]*)```/g)];
  expect(blocks.map(([, unit]) => unit)).toEqual(['support-relay-worker', 'support-relay-operator']);
  for (const [, unit = '', lines = ''] of blocks) {
    const folder = `/etc/systemd/system/${unit}.service.d`;
    machine.run(`mkdir -p ${folder} && printf '${lines.replaceAll('\n', '\\n')}' > ${folder}/override.conf`);
    machine.run(`systemctl daemon-reload && systemctl restart ${unit}`);
  }
  expect(machine.interfacesOf('worker')).toContain('eth0');
  await expect.poll(async () => (await http('http://127.0.0.1:9464/metrics')).status, { timeout: 30_000 }).toBe(200);
  expect((await http('http://127.0.0.1:9464/')).status).toBe(404);
  machine.run('rm -r /etc/systemd/system/support-relay-*.d && systemctl daemon-reload');
  machine.run('systemctl restart support-relay-worker support-relay-operator');
  expect(machine.interfacesOf('worker')).toEqual(['lo']);
});

test('the relay cannot read the pool, whoever takes it over', () => {
  const redis = 'redis-cli -s /run/support-relay/redis/redis.sock --no-auth-warning --user relay';
  const said = machine.run(`${redis} --pass "$(cat ${STATE}/redis/relay.password)" hgetall pool 2>&1`);
  expect(said).toMatch(/NOPERM/);
});

test('an upgrade and the way back lose nothing that waits in the pool or in an outbox, and deliver nothing twice', async () => {
  const before = await requests();
  const waiting = ['в ящике на отправку', 'в пуле', 'и ещё одно'];
  // Nobody can put a letter there: it waits in the outbox.
  machine.run(`chmod 0 ${machine.inbox}/tmp`);
  expect(await machine.post(waiting[0] ?? '')).toBe('accepted');
  await expect.poll(() => machine.run('support-relay operator status || true'), { timeout: 60_000 }).toMatch(/inbox-1: 1-9 waiting/);
  machine.setRounds(900);
  machine.run('systemctl restart support-relay-worker');
  await expect.poll(door, { timeout: 60_000 }).toContain('"open":true');
  for (const message of waiting.slice(1)) expect(await machine.post(message)).toBe('accepted');
  const redis = machine.property('support-relay-redis', 'MainPID');
  const tor = machine.property('support-relay-tor', 'MainPID');

  machine.run(`apt-get -qq install -y /media/packages/next/${file('99.0.0')}`);
  expect(machine.run('support-relay --version')).toContain('99.0.0');
  expect(new Set(machine.states())).toEqual(new Set(['active']));
  const started = ['worker', 'relay'].map((part) => Number(machine.property(`support-relay-${part}`, 'ExecMainStartTimestampMonotonic')));
  expect(started[0]).toBeLessThan(started[1] ?? 0);
  // What did not change was not restarted.
  expect(machine.property('support-relay-redis', 'MainPID')).toBe(redis);
  expect(machine.property('support-relay-tor', 'MainPID')).toBe(tor);
  await expect.poll(door, { timeout: 60_000 }).toContain('"open":true');

  machine.run(`apt-get -qq install -y --allow-downgrades ./${file(packageFile.version)}`);
  expect(machine.run('support-relay --version')).toContain(packageFile.version);
  machine.setRounds(2);
  machine.run(`chmod 700 ${machine.inbox}/tmp; systemctl restart support-relay-worker`);
  await expect.poll(requests, { timeout: 120_000 }).toEqual([...before, ...waiting].toSorted());
  await sleep(6_000);
  expect(await requests()).toEqual([...before, ...waiting].toSorted());
});

test('an upgrade that changes the state waits for a word, and the way back leads through the copy', async () => {
  const before = await requests();
  const pids = (): string[] => PARTS.map((part) => machine.property(`support-relay-${part}`, 'MainPID'));
  const running = pids();
  const told = machine.run(`apt-get -qq install -y /media/packages/changed/${file('99.1.0')}`);
  expect(told).toContain('(UPGRADE_WAITS)');
  expect(told).toContain('the former programs go on running');
  expect(pids()).toEqual(running);
  expect(await machine.post('до слова')).toBe('accepted');
  await expect.poll(requests, { timeout: 60_000 }).toEqual([...before, 'до слова'].toSorted());

  machine.run("systemctl stop 'support-relay*'");
  const without = ['worker/identities', 'inbox', 'tor'].map((path) => `--exclude ./${path}`).join(' ');
  machine.run(`tar --create --file before.tar --directory ${STATE} ${without} .`);
  const text = await readFile(join(ROOT, 'docs/operations.md'), 'utf8');
  const [, restart = ''] = /\| an upgrade that waits for your word \|.*type `sudo ([^`]+)` \|/.exec(text) ?? [];
  machine.run('echo SUPPORT_RELAY_UPGRADE=2 >> /etc/default/support-relay');
  machine.run(restart);
  await expect.poll(door, { timeout: 60_000 }).toContain('"open":true');
  expect([new Set(machine.states()), machine.run(`cat ${STATE}/version`)]).toEqual([new Set(['active']), '2\n']);
  expect(await machine.post('после слова')).toBe('accepted');
  await expect.poll(requests, { timeout: 60_000 }).toEqual([...before, 'до слова', 'после слова'].toSorted());

  machine.setRounds(2);
  const back = machine.run(`apt-get -qq install -y --allow-downgrades ./${file(packageFile.version)}`);
  expect(back).toContain('(DATA_NEWER)');
  machine.run("systemctl stop 'support-relay*'");
  machine.run(`rm -r ${STATE}/redis/data && tar --extract --file before.tar --directory ${STATE} && rm before.tar`);
  machine.run('systemctl start support-relay.target');
  await expect.poll(door, { timeout: 60_000 }).toContain('"open":true');
  await sleep(6_000);
  expect(await requests()).toEqual([...before, 'до слова', 'после слова'].toSorted());
});

test('Redis whose file is damaged at its end says so, and is mended by the command', async () => {
  const data = `${STATE}/redis/data`;
  const command = `support-relay operator repair --redis-data ${data} --redis-socket /run/support-relay/redis/redis.sock --yes`;
  machine.run("systemctl stop 'support-relay*'");
  machine.run(`head -c 4096 /dev/zero >> ${data}/appendonlydir/*.incr.aof`);
  machine.run('systemctl start support-relay.target || true');
  await expect.poll(() => machine.run('support-relay operator status 2>&1 || true'), { timeout: 60_000 }).toContain('operator repair');
  machine.run("systemctl stop 'support-relay*'");
  machine.run(command);
  machine.run('systemctl start support-relay.target');
  expect(new Set(machine.states())).toEqual(new Set(['active']));
  await expect.poll(door, { timeout: 60_000 }).toContain('"open":true');
});

test('removed, it leaves the state for another installation', async () => {
  const before = await requests();
  machine.run('apt-get -qq remove -y support-relay');
  expect(machine.run('systemctl list-units --no-legend "support-relay-*"').trim()).toBe('');
  machine.run(`apt-get -qq install -y ./${file(packageFile.version)} && systemctl start support-relay.target`);
  expect(await requests()).toEqual(before);
  await expect.poll(door, { timeout: 60_000 }).toContain('"open":true');
});

test('purged, it leaves what its document names: the users, and nothing else', async () => {
  const users = ['support-relay', ...['operator', 'redis', 'tor', 'worker'].map((part) => `support-relay-${part}`)];
  const whose = users.flatMap((user) => [`-user ${user}`, `-group ${user}`]).join(' -o ');
  const elsewhere = ['/proc', '/sys', '/media', '/root'].map((path) => `-path ${path}`).join(' -o ');
  const find = `find / \\( ${elsewhere} \\) -prune -o \\( -name '*support-relay*' -o ${whose} \\) -print`;
  expect(machine.run(find).split('\n').length).toBeGreaterThan(50);
  machine.run('apt-get -qq purge -y support-relay');
  expect(machine.run(find)).toBe('');
  expect(machine.run('cut -d: -f1 /etc/passwd | grep support-relay').trim().split('\n').toSorted()).toEqual(users);
  expect(await readFile(join(ROOT, 'deploy/debian/README.Debian'), 'utf8')).toContain('the users support-relay*');
});
