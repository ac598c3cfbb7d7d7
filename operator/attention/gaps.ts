import type { Gap, RelayAnswer } from '../../redis/presence.ts';
import type { MixState } from '../../redis/state.ts';
import type { Ahead } from './ahead.ts';
import type { Attention } from './attention.ts';
import { setupAgain, setupWithFiles } from './setup-commands.ts';

const GAPS: Record<Gap, Attention> = {
  'root-missing': {
    code: 'ROOT_MISSING',
    what: "the administrator's root.pub is not here yet",
    advice: `get it from the administrator, then: ${setupWithFiles('--root-pub /in/root.pub')}`,
  },
  'root-unusable': {
    code: 'ROOT_UNUSABLE',
    what: 'root.pub cannot be read, or is no public key',
    advice: `take that file away, get it from the administrator once more, then: ${setupWithFiles('--root-pub /in/root.pub')}`,
  },
  'root-replaced': {
    code: 'ROOT_REPLACED',
    what: 'root.pub was replaced while the parts ran: the former one counts until they are started again',
    advice:
      'find out who did it. Unless the administrator has made a new root key, somebody wants to decide who the volunteers are: ' +
      'put the former file back before anything is restarted',
  },
  'form-missing': {
    code: 'FORM_MISSING',
    what: 'no form has been built: visitors see a page that says nothing is there yet',
    advice: `once root.pub is here: ${setupAgain(' --form')}`,
  },
  'form-unusable': {
    code: 'FORM_UNUSABLE',
    what: 'the form that was built last is not whole, or its signature does not verify: the relay serves the one before it, or none',
    advice: `build it again: ${setupAgain(' --form')}; if it was signed, have the new manifest.json signed`,
  },
  'inboxes-missing': {
    code: 'INBOXES_MISSING',
    what: 'nobody has said where the letters of any team go',
    advice: `once keyrings are here: ${setupAgain('')}; then restart the worker`,
  },
  'keys-missing': {
    code: 'KEYS_MISSING',
    what: 'the worker has no keys',
    advice: `${setupAgain('')}; then give the card to the administrator`,
  },
};

/** What nobody has given or made yet: of relays and the worker, each once. */
export function ofGaps(answers: readonly RelayAnswer[], { gaps = '' }: Partial<MixState>): Attention[] {
  const found = new Set<string>([...gaps.split(' '), ...answers.flatMap((answer) => answer.gaps)]);
  return (Object.keys(GAPS) as Gap[]).filter((gap) => found.has(gap)).map((gap) => GAPS[gap]);
}

/** Nothing has to be done about a trial, but nobody should take it for anything else. */
export function trialNotice(answers: readonly RelayAnswer[], { trial }: Partial<MixState>): Ahead[] {
  if (trial !== 'yes' && !answers.some(({ isTrial }) => isTrial)) return [];
  return [
    {
      code: 'TRIAL',
      days: null,
      what: 'this is a trial: all keys were made on this server',
      advice: 'never give its address to people in danger; set up another one, whose keys are made elsewhere, for them',
    },
  ];
}
