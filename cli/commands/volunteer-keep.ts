import { dayOf } from '../../volunteer/keys/season.ts';
import { defineCommand } from '../command.ts';
import { CliError, EXIT, UsageError } from '../errors.ts';
import { KEY_FOLDER } from '../keys/key-folder.ts';
import { keepLonger } from '../keys/shredding.ts';
import { readMemory, weekNamed, writeMemory } from '../keys/week-files.ts';

const NAME = 'volunteer keep';

export const volunteerKeep = defineCommand({
  name: NAME,
  summary: "Keep a week's key four weeks longer, once",
  usage: '[--keys DIR] WEEK',
  examples: ['support-relay volunteer keep 2026-11-30'],
  details: `
Four weeks after its end a week's key is shredded by support-relay inbox, which announces it before. Whoever was away may
keep it once for four weeks more, counted from today. Whoever takes your computer meanwhile, unlocked, reads that week, too.

  --keys DIR  your folder of keys; ${KEY_FOLDER} here if left out`,
  options: { keys: { type: 'string' } },
  arguments: [1, 1],
  run: async (values, [first = ''], io) => {
    const folder = values.keys ?? KEY_FOLDER;
    if (folder === '') throw new UsageError('--keys is missing its folder', NAME);
    const week = await weekNamed(folder, first);
    const longer = keepLonger(await readMemory(folder), week, io.now().getTime());
    if (longer === null) {
      throw new CliError('KEYS_KEPT', `the week from ${first} was kept once already`, 'answer what waits before it goes');
    }
    await writeMemory(folder, longer.memory);
    io.err(`The key of the week from ${first} is kept until ${dayOf(longer.until)}.\n`);
    return EXIT.ok;
  },
});
