import { StorageError } from './storage-error.js';

/** This process has no way to an endpoint; another one may have. Nothing was sent. */
export class OutOfReach extends StorageError {
  constructor(endpointId: string, why: string, options?: ErrorOptions) {
    super(
      'unreachable',
      'EndpointOutOfReach',
      `endpoint ${endpointId} is out of reach here: ${why}`,
      options,
    );
  }
}
