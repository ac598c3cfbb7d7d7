// `npm run test:thorough [-- FILTER…]`: all of what `npm test` samples, such as each page in both engines, and a cut at every write.
import { runNamed } from './named.mjs';

await runNamed('thorough', { minutes: 90 });
