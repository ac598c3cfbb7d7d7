/** Redis scripts as text: loaded by scripts/build.mjs, scripts/bench.mjs and a plugin of vitest.config.ts. */
declare module '*.lua' {
  const text: string;
  export default text;
}
