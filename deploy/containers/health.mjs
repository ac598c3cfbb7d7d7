// The health check of a container: asks a program, over the unix socket that is named, whether it lives.
import { get } from 'node:http';

const [socketPath] = process.argv.slice(2);
get({ socketPath, path: '/livez' }, ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1));
