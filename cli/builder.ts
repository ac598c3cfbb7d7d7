import { CliError } from './errors.ts';

/** esbuild is no run-time dependency: a relay's machine serves the form, and need not be able to build it. */
export async function loadBuilder() {
  try {
    return await import('../web/build/build.ts');
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new CliError(
      'BUILD_TOOL_MISSING',
      'the build tool (esbuild) is not installed here',
      'run npm ci without --omit=dev, or build the form on another machine',
    );
  }
}
