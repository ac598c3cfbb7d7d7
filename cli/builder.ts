import { CliError } from './errors.ts';

/**
 * Loads the builder of the pages. Throws BUILD_TOOL_MISSING without esbuild: a relay's machine need not
 * be able to build the form.
 */
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
