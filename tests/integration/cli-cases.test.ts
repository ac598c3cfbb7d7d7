// Files as real mail programs, providers and people leave them (tests/cases/mail), given to the command as a volunteer would.
import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { EXIT } from '../../cli/errors.ts';
import { cli } from '../support/cli.ts';

const CASES = new URL('../cases/', import.meta.url).pathname;
const REQUEST = 'Мне нужна помощь';
const NOTE = 'Answered.';

type Right = { readonly opens: readonly string[]; readonly names?: readonly string[] };
const OPENS: Right = { opens: [REQUEST] };

/** A file that is not listed opens once, without any message. */
const RIGHT: Readonly<Record<string, Right>> = {
  '3g3-two.mbox': { opens: [REQUEST, NOTE] },
  // A compound file in name only: its content is found, with a message that it was not read to its end.
  '4b-msg.msg': { opens: [REQUEST], names: ['UNREAD_OUTLOOK'] },
  'x12-truncated-half.eml': { opens: [REQUEST], names: ['UNREAD_CUT'] },
  'y1-request-attached-note-wrapped.eml': { opens: [NOTE, REQUEST] },
};

const files = await readdir(`${CASES}mail`);

test.each(files)('%s', async (file) => {
  const { opens, names = [] } = RIGHT[file] ?? OPENS;
  const office = `${CASES}office/`;
  const keyring = ['--keyring', `${office}keyrings/keyring-1.json`, '--root-key', `${office}root/root.pub`];
  const { code, text, err } = await cli(['open', '--json', '--identity', `${office}volunteer.txt`, ...keyring, `${CASES}mail/${file}`]);
  const shown = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { message?: string; note?: { text: string }; error?: { code: string } });
  expect(shown.flatMap(({ message, note }) => message ?? note?.text ?? [])).toEqual(opens);
  expect(
    shown.flatMap(({ error }) => error?.code ?? []),
    err,
  ).toEqual(names);
  expect(code).toBe(names.length === 0 ? EXIT.ok : EXIT.notAuthentic);
});

test('all of them are looked at', async () => {
  expect(files).toHaveLength(29);
  for (const name of Object.keys(RIGHT)) expect(files).toContain(name);
  expect((await readFile(`${CASES}office/letter.age`)).length).toBeGreaterThan(0);
});
