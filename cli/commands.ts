import type { Command } from './command.ts';
import { adminAdd } from './commands/admin-add.ts';
import { adminBuildDesk } from './commands/admin-build-desk.ts';
import { adminCheck } from './commands/admin-check.ts';
import { adminInit } from './commands/admin-init.ts';
import { adminRemove } from './commands/admin-remove.ts';
import { adminRevoke } from './commands/admin-revoke.ts';
import { adminRelease } from './commands/admin-release.ts';
import { adminReseal } from './commands/admin-reseal.ts';
import { adminSeason } from './commands/admin-season.ts';
import { adminSign } from './commands/admin-sign.ts';
import { adminStatus } from './commands/admin-status.ts';
import { adminTake } from './commands/admin-take.ts';
import { adminTeam } from './commands/admin-team.ts';
import { claim } from './commands/claim.ts';
import { handover } from './commands/handover.ts';
import { inbox } from './commands/inbox.ts';
import { keygen } from './commands/keygen.ts';
import { open } from './commands/open.ts';
import { operatorAcl } from './commands/operator-acl.ts';
import { operatorBackup } from './commands/operator-backup.ts';
import { operatorBuildForm } from './commands/operator-build-form.ts';
import { operatorDeadLetters } from './commands/operator-dead-letters.ts';
import { operatorDoctor } from './commands/operator-doctor.ts';
import { operatorDrain } from './commands/operator-drain.ts';
import { operatorIngest } from './commands/operator-ingest.ts';
import { operatorRepair } from './commands/operator-repair.ts';
import { operatorRestore } from './commands/operator-restore.ts';
import { operatorStatus } from './commands/operator-status.ts';
import { operatorVerify } from './commands/operator-verify.ts';
import { reply } from './commands/reply.ts';
import { seal } from './commands/seal.ts';
import { send } from './commands/send.ts';
import { show } from './commands/show.ts';
import { volunteerKeep } from './commands/volunteer-keep.ts';
import { volunteerKeyring } from './commands/volunteer-keyring.ts';
import { volunteerKeys } from './commands/volunteer-keys.ts';
import { workerKeys } from './commands/worker-keys.ts';

/** Every command, in the order in which --help lists them. */
export const COMMANDS: readonly Command[] = [
  volunteerKeys,
  volunteerKeyring,
  volunteerKeep,
  show,
  keygen,
  inbox,
  open,
  reply,
  claim,
  handover,
  send,
  seal,
  adminInit,
  adminTeam,
  adminAdd,
  adminRemove,
  adminSeason,
  adminStatus,
  adminRevoke,
  adminTake,
  adminRelease,
  adminCheck,
  adminSign,
  adminReseal,
  adminBuildDesk,
  workerKeys,
  operatorStatus,
  operatorDoctor,
  operatorDeadLetters,
  operatorDrain,
  operatorIngest,
  operatorAcl,
  operatorBuildForm,
  operatorVerify,
  operatorBackup,
  operatorRestore,
  operatorRepair,
];
