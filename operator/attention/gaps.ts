import type { Gap, RelayAnswer } from '../../redis/presence.ts';
import type { MixState } from '../../redis/state.ts';
import type { OperatorCommands } from '../../runtime/installation.ts';
import type { Ahead } from './ahead.ts';
import type { Attention } from './attention.ts';

/** Not a gap of one part: both say which keyrings they have. */
const KEYRINGS_MISSING = 'keyrings-missing';
const ROOT = (folder: string): string => `--root-pub ${folder}/root.pub`;
export const setupKeyrings = ({ setupWith }: OperatorCommands): string => setupWith((folder) => `--keyrings ${folder}/out/relay`);

/** In the order in which an operator can bring it. */
const gapsOf = (commands: OperatorCommands): Record<Gap | typeof KEYRINGS_MISSING, Attention> => ({
  'keys-missing': {
    code: 'KEYS_MISSING',
    what: 'the worker has no keys',
    advice: `${commands.setup()}; then give the card to the administrator`,
  },
  'root-missing': {
    code: 'ROOT_MISSING',
    what: "the administrator's root.pub is not here yet",
    advice: `get it from the administrator, then: ${commands.setupWith(ROOT)}`,
  },
  'root-unusable': {
    code: 'ROOT_UNUSABLE',
    what: 'root.pub cannot be read, or is no public key',
    advice: `take that file away, get it from the administrator once more, then: ${commands.setupWith(ROOT)}`,
  },
  'root-replaced': {
    code: 'ROOT_REPLACED',
    what: 'root.pub was replaced while the parts ran: the former one counts until they are started again',
    advice:
      'find out who did it. Unless the administrator has made a new root key, somebody wants to decide who the volunteers are: ' +
      'put the former file back before anything is restarted',
  },
  [KEYRINGS_MISSING]: {
    code: 'KEYRINGS_MISSING',
    what: 'the setup is not finished: no keyring has come yet, and the form is closed until then',
    advice: `give the worker's card to the administrator, and when keyrings come back: ${setupKeyrings(commands)}`,
  },
  'inboxes-missing': {
    code: 'INBOXES_MISSING',
    what: 'nobody has said where the letters of any team go',
    advice: `once keyrings are here: ${commands.setup()}; then: ${commands.restart('worker')}`,
  },
  'inboxes-changed': {
    code: 'INBOXES_CHANGED',
    what: 'the settings of inboxes were changed since the worker started: it goes on with the former ones',
    advice: commands.restart('worker'),
  },
  'form-missing': {
    code: 'FORM_MISSING',
    what: 'no form has been built: visitors see a page that says nothing is there yet',
    advice: `once root.pub is here: ${commands.setup(' --form')}`,
  },
  'form-unusable': {
    code: 'FORM_UNUSABLE',
    what: 'the form that was built last is not whole, or its signature does not verify: the relay serves the one before it, or none',
    advice: `build it again: ${commands.setup(' --form')}; if it was signed, have the new manifest.json signed`,
  },
});

/** What relays and the worker lack, each once. `isNew`: no keyring has ever come. */
type Lacking = { readonly answers: readonly RelayAnswer[]; readonly mix: Partial<MixState>; readonly isNew: boolean };

/** What nobody has given or made yet. */
export function ofGaps({ answers, mix: { gaps = '' }, isNew }: Lacking, commands: OperatorCommands): Attention[] {
  const all = gapsOf(commands);
  const found = new Set<string>([...gaps.split(' '), ...answers.flatMap((answer) => answer.gaps), ...(isNew ? [KEYRINGS_MISSING] : [])]);
  return (Object.keys(all) as (keyof typeof all)[]).filter((gap) => found.has(gap)).map((gap) => all[gap]);
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
