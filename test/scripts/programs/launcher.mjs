// What scripts/start.mjs does once all is built, with another program in the place of the service.
import { serve } from '../../../scripts/launch/serve.mjs';

process.exitCode = await serve({ startedAt: 1, installSeconds: 2, buildSeconds: 3 }, [], process.argv[2]);
