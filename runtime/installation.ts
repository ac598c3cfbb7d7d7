// What an operator types, by how the parts were installed: so that advice names a command that exists on this server.
import { basename } from 'node:path';
import * as z from 'zod';

/** Said by docker-compose.yml, or by the units and programs of the Debian package. Anything else: nobody said it. */
export const installation = z.enum(['docker', 'debian']).optional().catch(undefined);
export type Installation = z.output<typeof installation>;

type Part = 'redis' | 'relay' | 'worker' | 'operator' | 'tor';

export type OperatorCommands = {
  /** `support-relay` with these words. @param words given the folder of the state, as that command sees it */
  readonly tool: (words: (state: string) => string) => string;
  readonly status: string;
  /** @param options with a space before each */
  readonly setup: (options?: string) => string;
  /** Setup with files of the administrator's. @param options given the folder with them, which the operator fills */
  readonly setupWith: (options: (folder: string) => string) => string;
  readonly firstSetup: string;
  /** Makes images first, where they are of an older program or not there. */
  readonly firstStart: string;
  readonly start: string;
  readonly stop: string;
  readonly restart: (part: Part) => string;
  /** Shows the last lines of a part's log. */
  readonly log: (part: Part) => string;
  /** The folder of the state, as it is called on the server. */
  readonly state: string;
  /** Copies the worker's card to the stick. */
  readonly carryCard: (file: string) => string;
  /** @param day as in 2026-11-30 */
  readonly backup: (day: string) => string;
};

/** The stick that goes between administrator and server, by the name that the documents give it. */
const STICK = '/media/carry';
/** The file may be its owner's alone, and a card has the same name as those of the volunteers. */
const carryCard = (file: string): string => `sudo install -D -m 644 ${file} ${STICK}/cards/worker-${basename(file)}`;

const docker: OperatorCommands = {
  tool: (words) => `docker compose run --rm tools ${words('/state')}`,
  status: 'docker compose exec operator support-relay operator status',
  setup: (options = '') => `docker compose run --rm setup${options}`,
  setupWith: (options) => `docker compose run --rm --volume ${STICK}:/in:ro setup ${options('/in')}`,
  firstSetup: 'docker compose run --rm --build setup',
  firstStart: 'docker compose up --build --wait',
  start: 'docker compose up --wait',
  stop: 'docker compose stop',
  restart: (part) => `docker compose restart ${part}`,
  log: (part) => `docker compose logs --tail 50 ${part}`,
  state: 'state',
  carryCard,
  backup: (day) => `docker compose run --rm -T tools operator backup --state /state > relay-${day}.age`,
};

const debian: OperatorCommands = {
  tool: (words) => `sudo support-relay ${words('/var/lib/support-relay')}`,
  status: 'sudo support-relay operator status',
  setup: (options = '') => `sudo support-relay-setup${options}`,
  setupWith: (options) => `sudo support-relay-setup ${options(STICK)}`,
  firstSetup: 'sudo support-relay-setup',
  firstStart: 'sudo systemctl start support-relay.target',
  start: 'sudo systemctl start support-relay.target',
  stop: "sudo systemctl stop 'support-relay*'",
  restart: (part) => `sudo systemctl restart support-relay-${part}`,
  log: (part) => `journalctl -u support-relay-${part} -n 50`,
  state: '/var/lib/support-relay',
  carryCard,
  backup: (day) => `sudo support-relay operator backup --state /var/lib/support-relay --out relay-${day}.age`,
};

/** From a clone, where nobody knows what starts the parts. */
const byHand: OperatorCommands = {
  tool: (words) => `support-relay ${words('state')}`,
  status: 'support-relay operator status',
  setup: (options = '') => (options === '' ? 'npm run setup' : `npm run setup --${options}`),
  setupWith: (options) => `npm run setup -- ${options(STICK)}`,
  firstSetup: 'npm run setup',
  firstStart: 'start all parts',
  start: 'start all parts',
  stop: 'stop all parts',
  restart: (part) => `restart the ${part}`,
  log: (part) => `the log of the ${part}`,
  state: 'state',
  carryCard,
  backup: (day) => `support-relay operator backup --state state --out relay-${day}.age`,
};

export const commandsOf = (name: Installation): OperatorCommands => ({ docker, debian, byHand })[name ?? 'byHand'];
