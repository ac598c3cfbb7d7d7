import { existsSync } from 'node:fs';
import { chown, readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readInputText } from '../cli/files.ts';
import { ROOT } from '../runtime/root.ts';
import { program, type Layout } from './layout.ts';
import { isAdministered, prepareAround, prepareDeployment, replaceFile } from './prepare.ts';

/** The image's user `node`; run as root, this hands the parts' files over to it. */
const CONTAINER_USER = { uid: 1000, gid: 1000 };
const INBOX_IN_CONTAINER = '/inbox';

const USAGE = `npm run setup -- [--dir DIR]

Makes what docker compose needs and keeps what is there: keys, a keyring, Redis' users, the form and a Maildir. Run it again
whenever the keyring expires in less than two days: it makes the next one, and the running parts find it by themselves.

Where DIR/admin/root.pub is an administrator's, without root.key, it makes no keys, no keyring and no form (docs/operations.md).

  --dir DIR           folder for all of it; by default ./state
  --compose-env FILE  file that tells docker compose where it is; by default ./.env
  --help              show this text`;

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

async function main(): Promise<void> {
  process.umask(0o077);
  const { values } = parseArgs({
    options: {
      dir: { type: 'string', default: join(ROOT, 'state') },
      'compose-env': { type: 'string', default: join(ROOT, '.env') },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) {
    say(USAGE);
    return;
  }
  const sayStep = (step: string): void => {
    say(`  · ${step}`);
  };
  const isAround = isAdministered(values.dir);
  const layout = isAround
    ? await prepareAround(values.dir, sayStep)
    : (await prepareDeployment(values.dir, { inboxPath: INBOX_IN_CONTAINER, say: sayStep })).layout;
  const user = await giveToContainers(layout);
  const envFile = resolve(values['compose-env']);
  await setVariables(envFile, { SUPPORT_RELAY_STATE: layout.dir, SUPPORT_RELAY_USER: `${String(user.uid)}:${String(user.gid)}` });
  const envOption = dirname(envFile) === resolve(ROOT) && envFile.endsWith('/.env') ? '' : `--env-file ${envFile} `;
  say('');
  say(`  Start:                docker compose ${envOption}up --build --detach`);
  say(`  The relay's socket:   ${join(layout.run, 'relay/relay.sock')}`);
  say(`  The inbox:            ${layout.inbox}`);
  if (isAround) {
    say(`  Keyrings belong in:   ${layout.keyrings}`);
    return;
  }
  say(`  Open what is in it:   node ${program('support-relay')} open --identity ${layout.volunteerIdentity} ${layout.inbox}`);
  say(`  Keep off this server: ${dirname(layout.rootSecretKey)} and ${dirname(layout.volunteerIdentity)}`);
}

/** Gives the files that containers mount to the user they run as; the secret root key and the volunteer's keys stay with their maker. */
async function giveToContainers(layout: Layout): Promise<{ uid: number; gid: number }> {
  const uid = process.getuid?.() ?? CONTAINER_USER.uid;
  if (uid !== 0) return { uid, gid: process.getgid?.() ?? CONTAINER_USER.gid };
  const paths = [layout.rootKey];
  for (const name of ['redis', 'worker', 'keyrings', 'web', 'inbox', 'run']) {
    const folder = join(layout.dir, name);
    if (!existsSync(folder)) continue;
    paths.push(folder, ...(await readdir(folder, { recursive: true })).map((entry) => join(folder, entry)));
  }
  for (const path of paths) await chown(path, CONTAINER_USER.uid, CONTAINER_USER.gid);
  return CONTAINER_USER;
}

/** Sets variables in a file of `NAME=value` lines, and leaves all others as they are. */
async function setVariables(path: string, variables: Readonly<Record<string, string>>): Promise<void> {
  const old = existsSync(path) ? await readInputText(path, 'the file of variables') : '';
  const kept = old.split('\n').filter((line) => line !== '' && !Object.keys(variables).some((name) => line.startsWith(`${name}=`)));
  const lines = [...kept, ...Object.entries(variables).map(([name, value]) => `${name}=${value}`)];
  await replaceFile(path, `${lines.join('\n')}\n`, 0o600);
}

await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
