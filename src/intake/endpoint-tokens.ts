import { createHmac } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Keyring } from '../access/keyring.js';
import { BucketRegistry } from '../s3/registry/bucket-registry.js';
import { isToken } from './events-token.js';

/**
 * Events tokens of one endpoint each: what is posted with one is from that endpoint's buckets. They are made of a key of the
 * keyring and the endpoint's id, so that nothing is stored and every node knows them.
 */
@Injectable()
export class EndpointTokens {
  constructor(
    private readonly keyring: Keyring,
    private readonly registry: BucketRegistry,
  ) {}

  /** `<endpoint id>.<MAC>`; undefined for an endpoint that is not registered. */
  tokenOf(endpointId: string): string | undefined {
    if (this.registry.endpoint(endpointId) === undefined) return undefined;
    const mac = createHmac('sha256', this.keyring.for('events').key).update(endpointId);
    return `${endpointId}.${mac.digest('base64url')}`;
  }

  /** The endpoint that a token is of; undefined when it is of none. */
  endpointOf(given: string | undefined): string | undefined {
    const endpointId = given?.split('.', 1)[0] ?? '';
    const token = this.tokenOf(endpointId);
    return token !== undefined && isToken(token, given) ? endpointId : undefined;
  }
}
