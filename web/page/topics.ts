// What help a keyring offers.
import type { Keyring } from '../../crypto/keyring.ts';
import type { TopicName } from './messages.ts';

/** The topics of all teams, each once, in their order. */
export function topicsOf({ teams }: Keyring): TopicName[] {
  return [...new Map(teams.flatMap(({ topics }) => topics).map((topic) => [topic.id, topic])).values()];
}
