// `npm run test:journeys [-- FILTER…]`: an upgrade and back, another machine, a demo that is killed; some minutes.
import { runNamed } from './named.mjs';

await runNamed('journeys', { minutes: 30 });
