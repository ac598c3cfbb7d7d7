// Documents as people follow them: the commands in their code blocks, and a person who types them in a folder of their own.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EXIT } from '../../cli/errors.ts';
import { program } from '../../deploy/state/layout.ts';
import { ROOT } from '../../runtime/root.ts';
import { cli, type CliResult } from './cli.ts';

/** What a line of a code block begins with, if somebody is to type it. */
const TYPED = /^(?:age|cp|docker|git|minisign|mkdir|node|npm|rm|rsync|sudo|support-relay|SUPPORT_RELAY_UPGRADE=\d+ docker|tar) /;

/** The lines that a document, such as `docs/volunteers.md`, has people type, in their order, by the headings that they stand under. */
export async function commandsByHeading(document: string): Promise<Map<string, string[]>> {
  const text = await readFile(join(ROOT, document), 'utf8');
  const parts = text.split(/^#+ /m).map((part) => [part.split('\n')[0] ?? '', part] as const);
  return new Map(parts.map(([heading, part]) => [heading, commandsIn(part)]));
}

/** All of them. */
export async function commandsOf(document: string): Promise<string[]> {
  return commandsIn(await readFile(join(ROOT, document), 'utf8'));
}

/** The first block of commands under a heading of a document, as it stands there. */
export async function commandBlock(document: string, heading: string): Promise<string> {
  const [, section = ''] = (await readFile(join(ROOT, document), 'utf8')).split(`# ${heading}\n`);
  const block = /^```\n([^]*?)^```$/m.exec(section)?.[1];
  if (block === undefined) throw new Error(`${document} has no commands under "${heading}"`);
  return block;
}

/** What docs/operations.md has an operator type for the tools' container under a heading, without what starts that container. */
export async function toolsCommands(heading: string): Promise<string[][]> {
  const commands = (await commandsByHeading('docs/operations.md')).get(heading) ?? [];
  const typed = commands.map((line) => /^docker compose run --rm tools (.+)$/.exec(line)?.[1]);
  return typed.flatMap((words) => (words === undefined ? [] : [words.split(' ')]));
}

/** Only blocks without a language: others show files. */
function commandsIn(text: string): string[] {
  const fenced = [...text.matchAll(/^ *```(\w*)\n([^]*?)^ *```$/gm)];
  const blocks = fenced.flatMap(([, language, block = '']) => (language === '' ? [block.replaceAll(/\\\n\s*/g, '')] : []));
  return blocks.flatMap((block) => block.split('\n').map((line) => line.trim())).filter((line) => TYPED.test(line));
}

/** The words of a command, as a shell in the folder `cwd` takes them apart. */
export function wordsOf(command: string, cwd: string): string[] {
  const [, ...words] = execFileSync('bash', ['-c', `printf '%s\\0' ${command}`], { cwd })
    .toString()
    .split('\0')
    .slice(0, -1);
  return words;
}

/** What stands in a document, and what stands there for this person. */
export type Substitutions = Readonly<Record<string, string>>;

/** Somebody who types the commands of documents, in a folder of their own. */
export class Person {
  readonly home: string;
  readonly here: Substitutions;

  /** @param here paths and names of the documents, and what they are here */
  constructor(home: string, here: Substitutions) {
    this.home = home;
    this.here = here;
    mkdirSync(home, { recursive: true });
  }

  path(...parts: string[]): string {
    return join(this.home, ...parts);
  }

  /** @returns what the command said; an error when it did not end with `code`, or asked less than was answered */
  async type(line: string, answers: readonly string[] = [], code: number = EXIT.ok): Promise<CliResult> {
    const command = Object.entries(this.here).reduce((text, [from, to]) => text.replaceAll(from, to), line);
    const result = await this.#run(command, answers);
    if (result.code === code && result.asked.length === answers.length) return result;
    throw new Error(`${command} ended with ${String(result.code)}, having asked ${JSON.stringify(result.asked)}:\n${result.err}`);
  }

  async #run(command: string, answers: readonly string[]): Promise<CliResult> {
    const typed = withoutDocker(command);
    if (!typed.startsWith('support-relay ')) {
      const out = execFileSync('bash', ['-c', typed], { cwd: this.home });
      return { code: EXIT.ok, out, text: out.toString(), err: '', asked: [] };
    }
    const before = process.cwd();
    process.chdir(this.home);
    try {
      return await cli(wordsOf(typed, this.home), { terminal: { answers }, logN: 12 });
    } finally {
      process.chdir(before);
    }
  }
}

/** What a container would run, run here: with `state` of this person's folder, and with what is mounted under its own name. */
function withoutDocker(command: string): string {
  const [, status] = /^docker compose exec operator (support-relay .*)$/.exec(command) ?? [];
  if (status !== undefined) return `${status} --redis-socket state/run/redis/redis.sock --password-file state/redis/operator.password`;
  const once = /^docker compose run --rm(?: --build)?(?: --volume (\S+?):ro)? (setup|tools)\b(.*)$/s;
  const [, volume, service = '', rest = ''] = once.exec(command) ?? [];
  const [from = '', to = ''] = volume?.split(':') ?? [];
  const here = (to === '' ? rest : rest.replaceAll(to, from)).replaceAll('/state/', 'state/');
  if (service === 'tools') return `support-relay${here}`;
  // Whoever follows it here owns the files.
  if (service === '') return command.replace(/^sudo /, '');
  return `'${process.execPath}' '${join(program('support-relay'), '..', 'setup.js')}' --dir state --for here${here}`;
}
