import type { BuildOptions } from 'esbuild';

export const programs: BuildOptions & { readonly entryPoints: readonly { readonly in: string; readonly out: string }[] };
