import { parseArgs } from 'node:util';
import { CliError } from '../../cli/errors.ts';
import { HOSTS, type HostName } from '../state/hosts.ts';

export type SetupOptions = Readonly<{
  dir: string;
  host: HostName;
  rootPub: string | null;
  keyrings: string | null;
  /** Each as it was typed: `TEAM=maildir` or `TEAM=FILE`. */
  inboxes: readonly string[];
  /** A file of settings, `none`, or null where nothing was said. */
  administrator: string | null;
  buildsForm: boolean;
  isTrial: boolean;
  burnsOnion: boolean;
  /** Asks nothing, even at a terminal. */
  isQuiet: boolean;
}>;

export const SETUP_USAGE = `docker compose run --rm --build setup [options]      (npm run setup -- [options] is the same)

Makes what a relay needs, and keeps what is there: run again, it changes only what was asked. At a terminal it asks; each
question can be answered by an option instead. It makes no key that the administrator should make: root.pub and keyrings
come as files made elsewhere, now or later. At its end it says what is left to do.

  docker compose run --rm --build setup
  docker compose run --rm --volume /media/carry:/in:ro setup --root-pub /in/root.pub --keyrings /in/out/relay
  docker compose run --rm setup --inbox "Volunteers=maildir"
  docker compose run --rm --volume "$PWD/mail:/in:ro" setup --inbox "Lawyers=/in/lawyers.json" --administrator none

  --root-pub FILE      the administrator's public root key; its fingerprint is shown, to be compared by voice
  --keyrings DIR       the administrator's keyrings, each keyring-N.json with its .minisig, and backup.recipient; taken only
                       if they verify
  --inbox TEAM=WHERE   where a team's letters go; may be given several times. TEAM is a name or an id in the keyring.
                       WHERE is "maildir", a folder on this server, or a file, with the password in another beside it:
                       {"host": "mail.example.org", "port": 465, "tls": "implicit", "user": "relay@example.org",
                       "passwordFile": "password", "from": "relay@example.org", "to": "team@example.org"}
  --administrator FILE such a file for reminders to the administrator, that keyrings end; "none" for no reminders
  --form               build the form again: after changes of site.json, or for the next four weeks of the offline form
  --trial              make all keys here, to try it out. Whoever gets into this server then reads and decides everything,
                       so the parts say at every start that this is a trial. Never for people in danger
  --new-onion          shred the keys of the onion address and make a new one: nobody can ever answer at the former again
  --no-questions       ask nothing, even at a terminal
  --dir DIR            the folder of all this; ./state by default
  --for WHERE          how the parts run: docker (the default), debian (the package), here (processes of this user)
  --help               show this text`;

/** Throws USAGE. */
export function readSetupOptions(args: readonly string[], defaultDir: string): SetupOptions | 'help' {
  const values = parse(args);
  if (values.help === true) return 'help';
  const host = HOSTS.find((name) => name === values.for);
  if (host === undefined) throw usage(`--for must be one of ${HOSTS.join(', ')}, not "${values.for}"`);
  if (values.trial === true && (values['root-pub'] !== undefined || values.keyrings !== undefined)) {
    throw usage('--trial makes all keys here: leave out --root-pub and --keyrings');
  }
  return {
    dir: values.dir ?? defaultDir,
    host,
    rootPub: values['root-pub'] ?? null,
    keyrings: values.keyrings ?? null,
    inboxes: values.inbox,
    administrator: values.administrator ?? null,
    buildsForm: values.form === true,
    isTrial: values.trial === true,
    burnsOnion: values['new-onion'] === true,
    isQuiet: values['no-questions'] === true,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        dir: { type: 'string' },
        for: { type: 'string', default: 'docker' },
        'root-pub': { type: 'string' },
        keyrings: { type: 'string' },
        inbox: { type: 'string', multiple: true, default: [] },
        administrator: { type: 'string' },
        form: { type: 'boolean' },
        trial: { type: 'boolean' },
        'new-onion': { type: 'boolean' },
        'no-questions': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw usage(error instanceof Error ? error.message : String(error));
  }
}

const usage = (problem: string): CliError => new CliError('USAGE', problem, 'see --help');
