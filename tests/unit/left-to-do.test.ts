// What setup says is left to do: each step with the command of the way in which this relay was installed.
import { expect, it } from 'vitest';
import { describeLeftToDo, type Survey } from '../../deploy/setup/left-to-do.ts';
import { hosts, type HostName } from '../../deploy/state/hosts.ts';
import { layoutOf } from '../../deploy/state/layout.ts';

const layout = layoutOf('/var/lib/support-relay');

/** With every step that there can be. */
const everything = (host: HostName): Survey => ({
  layout,
  host: hosts[host],
  isTrial: false,
  card: { file: '/var/lib/support-relay/worker/identities/season-2026-11-30.card', words: ['one', 'two'], recipients: [] },
  isCardSigned: false,
  hasRoot: false,
  hasKeyring: false,
  teamsWithoutInbox: ['Lawyers'],
  hasForm: false,
  offlineFormUntil: new Date('2026-12-28T00:00:00Z'),
  hasBackupRecipient: true,
  inboxesChanged: true,
  address: 'x.onion',
  today: '2026-11-30',
});

/** The lines after each step that an operator types. */
const commandsOf = (host: HostName): string[] =>
  describeLeftToDo(everything(host))
    .split('\n')
    .filter((line) => line.startsWith('       '))
    .map((line) => line.trim())
    .filter((line) => !['one two', 'http://x.onion/'].includes(line));

it.each(['docker', 'debian'] as const)('on %s each step names a command of its own', (host) => {
  const commands = commandsOf(host);
  expect(commands).toHaveLength(12);
  const own = host === 'docker' ? /^docker compose |^sudo install / : /^sudo (?!docker)/;
  for (const command of commands) expect(command).toMatch(own);
});

it('what comes first is asked for first', () => {
  const text = describeLeftToDo(everything('docker'));
  const at = ['--root-pub', '.card', '--keyrings', 'Lawyers', 'operator backup', 'http://x.onion/'].map((part) => text.indexOf(part));
  expect(at).toEqual(at.toSorted((a, b) => a - b));
  expect(at[0]).toBeGreaterThan(0);
});
