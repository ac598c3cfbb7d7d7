import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../cli/commands.ts';
import { CliError, EXIT } from '../../cli/errors.ts';
import { describeFailure } from '../../cli/failure.ts';
import { CodedError } from '../../crypto/errors.ts';
import { ROOT } from '../../runtime/root.ts';
import { cli } from '../support/cli.ts';

describe('help', () => {
  test('the overview lists every command and every exit code', async () => {
    const { code, text } = await cli(['--help']);
    expect(code).toBe(EXIT.ok);
    for (const { name } of COMMANDS) expect(text).toContain(`  ${name} `);
    for (const exit of Object.values(EXIT)) expect(text).toMatch(new RegExp(`^ +${String(exit)} {2}`, 'm'));
  });

  test.each(COMMANDS.map(({ name }) => name))('%s explains itself with an example', async (name) => {
    const { code, text, err } = await cli([...name.split(' '), '--help']);
    expect(code).toBe(EXIT.ok);
    expect(err).toBe('');
    expect(text).toContain(`Usage: support-relay ${name}`);
    // The main commands come first.
    expect(text).toMatch(new RegExp(`^.+\\n\\nFor example:\\n  support-relay ${name} [^]+\\n\\nUsage:`));
  });

  test('help COMMAND shows the same, and --version the version', async () => {
    for (const name of ['open', 'admin season'])
      expect((await cli(['help', ...name.split(' ')])).text).toBe(COMMANDS.find((command) => command.name === name)?.help);
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    for (const word of ['--version', 'version'])
      expect(await cli([word])).toMatchObject({ code: EXIT.ok, text: `support-relay ${version}\n`, err: '' });
  });

  test('the lines fit a terminal', () => {
    for (const { help } of COMMANDS) for (const line of help.split('\n')) expect(line.length).toBeLessThanOrEqual(125);
  });
});

/** Checks a command as help and documents show it: it exists, with these options. */
function insistOnCommand(line: string): void {
  const found = COMMANDS.find(({ name }) => `${line} `.startsWith(`support-relay ${name} `));
  expect(found, line).toBeDefined();
  for (const [, option = ''] of line.matchAll(/ --([a-z-]+)/g)) expect(['help', ...(found?.options ?? [])], line).toContain(option);
}

const joined = (text: string): string => text.replaceAll(/\\\n\s*/g, '');

test.each(COMMANDS)('the examples of $name are such as it takes', ({ help }) => {
  const [examples = ''] = help.split('\n\nUsage:');
  const lines = joined(examples).match(/support-relay .+/g) ?? [];
  expect(lines).not.toEqual([]);
  for (const line of lines) insistOnCommand(line);
});

describe('the documents', () => {
  const documents = [
    'README.md',
    'SECURITY.md',
    ...readdirSync(join(ROOT, 'docs'))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`),
  ];
  /** Commands in code blocks, and inline ones between backticks. */
  const commandsIn = (document: string): string[] =>
    joined(readFileSync(join(ROOT, document), 'utf8')).match(/(?:(?<=^ *)|(?<=`))support-relay [a-z][^`\n]*/gm) ?? [];

  test.each([
    ['docs/volunteers.md', 15],
    ['docs/operations.md', 5],
    ['docs/administrator.md', 10],
  ])('%s shows commands', (document, least) => {
    expect(commandsIn(document).length).toBeGreaterThan(least);
  });

  test.each(documents)('%s: there are such commands, with such options', (document) => {
    for (const line of commandsIn(document)) insistOnCommand(line);
  });
});

describe('wrong use', () => {
  test.each([
    [[], ''],
    [['dance'], 'there is no command "dance"; see support-relay --help (USAGE)'],
    [['opne', 'letter'], 'there is no command "opne"; did you mean open?; see support-relay --help (USAGE)'],
    [['admin', 'seson'], 'did you mean admin season?'],
    [['help', 'replay'], 'did you mean reply?'],
    [['keygen', '--sginer', 'x'], 'there is no option --sginer; did you mean --signer?'],
    [['open', '--identity'], '--identity needs a value'],
    [['open', '--identity', '--json', 'x'], '--identity needs a value'],
    [['open', '--json=yes', 'x'], '--json takes no value'],
    [['admin', 'check', '--root-key', 'r'], 'FILE is missing'],
    [['send', '--relay', 'unix:/x'], 'DIR or FILE is missing'],
    [['operator', 'dead-letters', 'retry', '--redis-socket', '/x'], 'retry needs the name of an INBOX'],
    [
      ['admin'],
      '"admin" needs one of: init, team, add, remove, season, status, revoke, take, release, check, sign, reseal, build-desk; see',
    ],
    [['admin', 'dance'], '"admin" needs one of'],
    [['keygen', '--colour'], 'there is no option --colour; see support-relay keygen --help (USAGE)'],
    [['keygen', 'file'], '"file" is one argument too many'],
    [['admin', 'init', '--no-passphrase', '--passphrase-file', 'f'], '--no-passphrase and --passphrase-file exclude each other'],
    [['admin', 'season', '--weeks', '0'], '--weeks must be a whole number from 1 to 53'],
    [['admin', 'season', '--from', '2026-02-30'], '--from must be a date such as 2026-11-30'],
    [['admin', 'season', '--from', '2026-12-01'], '2026-12-01 is not a Monday: give 2026-11-30 or 2026-12-07'],
    [['admin', 'season', '--past'], '--past needs --from'],
    [['admin', 'season', '--again', '--weeks', '2'], '--again signs what is signed'],
    [['admin', 'revoke'], 'give either ALIAS or --worker CARD'],
    [['admin', 'revoke', 'Maple', '--worker', 'c'], 'give either ALIAS or --worker CARD'],
    [['admin', 'add'], 'CARD is missing'],
    [['admin', 'add', 'a', 'b', '--alias', 'Maple'], '--alias and --words go with one CARD'],
    [['admin', 'team', '--name', 'en=Help'], 'T is missing'],
    [['open', 'letter'], '--keys or --identity is missing'],
    [['volunteer', 'keys', '--weeks', '54'], '--weeks must be a whole number from 1 to 53'],
    [['open', '--identity', 'i'], 'PATH is missing'],
    [['open', '--identity', 'i', '--keyring', 'k', 'letter'], '--keyring needs --root-key'],
    [['open', '--identity', 'i', '--root-key', 'k', 'letter'], '--root-key checks a --keyring'],
    [['seal', '--keyring', 'k', '--root-key', 'r', '--difficulty', '99'], '--difficulty must be'],
    [['seal', '--keyring', 'k', '--root-key', 'r', '--language', 'Russian'], '--language must be'],
    [['operator', 'status'], '--redis-socket is missing'],
  ])('%j', async (argv, message) => {
    const { code, text, err } = await cli(argv);
    expect(code).toBe(EXIT.usage);
    expect(text).toBe('');
    expect(err).toContain(message);
    if (argv.length > 0) expect(err).toMatch(/^support-relay: .+; .+ \(USAGE\)\n$/);
  });
});

describe('failures', () => {
  test('are one line, whatever they contain', () => {
    const { line } = describeFailure(new CliError('INPUT_MISSING', 'cannot read a\u001b[2J\nb', 'check it'));
    expect(line).toBe('cannot read a‹U+001B›[2J b; check it (INPUT_MISSING)');
  });

  test('of formats say what to do', () => {
    expect(describeFailure(new CodedError('KEYRING_EXPIRED', 'the keyring was valid until then'))).toMatchObject({
      line: "the keyring was valid until then; get this week's keyring from the administrator (KEYRING_EXPIRED)",
      exitCode: EXIT.notAuthentic,
    });
  });

  test('of a full disk are not the program’s own', async () => {
    const full = await writeFile('/dev/full', 'x').catch((error: unknown) => error);
    expect(describeFailure(full)).toMatchObject({ exitCode: EXIT.output, code: 'OUTPUT_FAILED', message: 'the disk is full' });
  });

  test('that are unexpected are reported as the program’s own', () => {
    expect(describeFailure(new TypeError('x is not a function'))).toMatchObject({ exitCode: EXIT.internal, code: 'INTERNAL' });
  });
});
