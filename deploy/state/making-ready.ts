// What is done before the parts start, each time: so that an upgrade is `git pull` and a start.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CliError, EXIT } from '../../cli/errors.ts';
import { describeFailure } from '../../cli/failure.ts';
import { ROOT } from '../../runtime/root.ts';
import { makeFolders, renewRights } from './folders.ts';
import { hosts, HOSTS } from './hosts.ts';
import { layoutOf } from './layout.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { giveToOwners } from './owners.ts';
import { stateVersion, upgradeFiles, type FileUpgrade } from './upgrade.ts';

/** A setup that asks something may take long. One that does not, or another start, is over by then. */
const WAIT_SECONDS = 30;

type Asked = Readonly<{ args: readonly string[]; agreed: string; upgrade?: FileUpgrade; waitSeconds?: number }>;

/**
 * Looks whether the state is one that this program knows, brings it to its version if the operator agrees, gives Redis' users the rights
 * of this version, and the files to their owners. @returns the exit code; every failure becomes one line for `tell`
 */
export async function makeReady(
  { args, agreed, upgrade, waitSeconds = WAIT_SECONDS }: Asked,
  tell: (line: string) => void,
): Promise<number> {
  try {
    const { values } = parseArgs({ args: [...args], options: { dir: { type: 'string' }, for: { type: 'string', default: 'docker' } } });
    const layout = layoutOf(values.dir ?? join(ROOT, 'state'));
    const name = HOSTS.find((each) => each === values.for);
    if (name === undefined) throw new CliError('USAGE', `--for must be one of ${HOSTS.join(', ')}`, 'see what starts this');
    if ((await stateVersion(layout)) === null) {
      throw new CliError('SETUP_MISSING', 'this relay has not been set up yet', `first run: ${hosts[name].commands.firstSetup}`);
    }
    const work = async (): Promise<void> => {
      await upgradeFiles(layout, agreed, upgrade);
      await makeFolders(layout);
      await renewRights(layout);
      await giveToOwners(layout.dir, await hosts[name].belongings(layout));
    };
    await oneAtATime(layout, work, waitSeconds);
    return EXIT.ok;
  } catch (error) {
    const { line, exitCode } = describeFailure(error);
    tell(`support-relay: ${line}\n`);
    return exitCode;
  }
}
