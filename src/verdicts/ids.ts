import { uuid5 } from '../uuid5.js';

// A random namespace of our own, fixed for ever: changing it would start every open scan a second time.
const NAMESPACE = '6f0c5f1e-3b7a-4c7c-9a1d-2f4be0d7a815';

/** The scan of one generation of one object. */
export const scanIdOf = (objectId: string, generation: number): string =>
  uuid5(NAMESPACE, `scan:${objectId}:${generation}`);

/** The workflow that carries out a scan: derived, so that starting it again starts nothing new. */
export const workflowIdOf = (scanId: string): string => uuid5(NAMESPACE, `workflow:${scanId}`);
