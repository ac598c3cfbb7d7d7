import { commit, openFolder } from '../administering/folder.ts';
import { firstOutdated } from '../administering/plan.ts';
import { secondOf } from '../administering/signing.ts';
import { withAnswerTime, withoutTeam, withTeam } from '../administering/teams.ts';
import type { FolderState } from '../administering/state.ts';
import { defineCommand } from '../command.ts';
import { EXIT, UsageError } from '../errors.ts';
import { dayOf } from '../../volunteer/keys/season.ts';
import { visibleJson, visibleLine } from '../terminal/terminal.ts';

const NAME = 'admin team';

export const adminTeam = defineCommand({
  name: NAME,
  summary: 'Make a team, change its names and topics, or set the usual time of an answer; or show the teams',
  usage: '[T] [--name LANGUAGE=NAME]… [--topic ID:LANGUAGE=NAME]… [options]',
  examples: [
    `support-relay admin team psych --name ru=Психологи --name en=Psychologists \\
    --topic psychological:ru="Психологическая помощь" --topic psychological:en="Psychological help"`,
    'support-relay admin team --answer-time ru="обычно за два дня" --answer-time en="usually within two days"',
  ],
  details: `
T is what you call the team here, of a-z, 0-9 and -; what people see is its names, one in each language. Give a topic once
for each language too. The topic with the id other gets the requests of people who know no topic. A name that is given
again takes the place of the former one; the rest stays as it is. What is changed here is in the next keyrings.

  --name LANGUAGE=NAME       what the team is called in a language, such as en=Psychologists
  --topic ID:LANGUAGE=NAME   a topic that the team takes, and its name in a language
  --without-topic ID         a topic that it takes no longer
  --remove                   take the team away; nobody may be in it
  --answer-time LANGUAGE=T   how long an answer usually takes, of all teams, in words for the form
  --folder DIR               the administrator's folder; the current directory if left out
  --json                     one line of JSON: changed, teams, answerTime, outdatedFrom`,
  options: {
    name: { type: 'string', multiple: true, default: [] },
    topic: { type: 'string', multiple: true, default: [] },
    'without-topic': { type: 'string', multiple: true, default: [] },
    remove: { type: 'boolean' },
    'answer-time': { type: 'string', multiple: true, default: [] },
    folder: { type: 'string', default: '.' },
    json: { type: 'boolean' },
  },
  arguments: [0, 1],
  run: async (values, [team], io) => {
    const wish = { names: values.name, topics: values.topic, withoutTopics: values['without-topic'] };
    const asksForTeam = [...wish.names, ...wish.topics, ...wish.withoutTopics].length > 0 || values.remove === true;
    if (asksForTeam && team === undefined) throw new UsageError('T is missing: which team', NAME);
    const opened = await openFolder(values.folder, io);
    const isGone = values.remove === true && !opened.state.teams.some(({ name }) => name === team);
    const change: Partial<FolderState> = {};
    if (team !== undefined && values.remove === true && !isGone) change.teams = withoutTeam(opened, team);
    else if (team !== undefined && values.remove !== true) change.teams = withTeam(opened, team, wish);
    if (values['answer-time'].length > 0) change.answerTime = withAnswerTime(opened, values['answer-time']);
    const changed = Object.entries(change).some(
      ([key, value]) => JSON.stringify(value) !== JSON.stringify(opened.state[key as keyof FolderState]),
    );
    const folder = changed ? { ...opened, state: await commit(opened, change) } : opened;
    const outdated = firstOutdated(folder, secondOf(io));
    const outdatedFrom = outdated === null ? null : dayOf(outdated);
    const { teams, answerTime } = folder.state;
    if (values.json === true) io.out(`${visibleJson({ changed, teams, answerTime: answerTime ?? null, outdatedFrom })}\n`);
    else io.out(describeTeams(folder.state));
    if (!changed && (asksForTeam || values['answer-time'].length > 0)) io.err('It is so already: nothing to do.\n');
    if (outdatedFrom !== null)
      io.err(`Keyrings from ${outdatedFrom} on say otherwise: support-relay admin season --again signs them anew.\n`);
    return EXIT.ok;
  },
});

function describeTeams({ teams, answerTime, volunteers }: FolderState): string {
  const words = (names: Readonly<Record<string, string>>): string =>
    Object.entries(names)
      .map(([language, name]) => `${visibleLine(name)} (${language})`)
      .join(', ');
  const lines = teams.flatMap(({ name, id, names, topics }) => {
    const members = volunteers.filter((each) => each.standing === 'member' && each.team === name).map(({ alias }) => visibleLine(alias));
    return [
      `${name} (id ${id}): ${words(names)}`,
      ...topics.map((topic) => `  topic ${topic.id}: ${words(topic.names)}`),
      `  volunteers: ${members.length === 0 ? 'NOBODY' : members.join(', ')}`,
    ];
  });
  if (answerTime !== undefined) lines.push(`answers: ${words(answerTime)}`);
  return lines.length === 0 ? 'There is no team yet.\n' : `${lines.join('\n')}\n`;
}
