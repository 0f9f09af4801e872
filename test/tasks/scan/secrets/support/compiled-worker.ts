import { compileSources } from '../../../../support/compile-sources.js';

/** The scanner's program for threads, compiled from the sources. Remove `directory` in the end. */
export const compileWorker = (): { readonly directory: string; readonly entry: URL } =>
  compileSources(
    ['src/errors.ts', 'src/access/sealing.ts', 'src/tasks/scan/secrets'],
    'src/tasks/scan/secrets/pool/worker-entry.ts',
  );
