// Which of two releases is the newer: https://semver.org, § 11.
import { expect, it } from 'vitest';
import { isNewer } from '../../crypto/release.ts';

const RISING = [
  '0.9.9',
  '0.10.0',
  '1.0.0-1',
  '1.0.0-2',
  '1.0.0-10',
  '1.0.0-alpha',
  '1.0.0-alpha.1',
  '1.0.0-alpha.beta',
  '1.0.0-beta.2',
  '1.0.0-beta.11',
  '1.0.0-rc.1',
  '1.0.0',
  '1.0.1',
  '1.2.0',
  '1.10.0',
  '2.0.0',
];

it('each is newer than all before it, and none than itself or those after it', () => {
  for (const [at, version] of RISING.entries()) {
    expect(
      RISING.filter((other) => isNewer(version, other)),
      version,
    ).toEqual(RISING.slice(0, at));
  }
});
