import { HealthCheck, type HealthResult } from '../ops/health.js';
import type { Buckets } from './buckets.js';
import type { Endpoints } from './endpoints.js';

/** Says which buckets this worker has no way to: their tasks are handed back for another one to take. */
export class S3Health extends HealthCheck {
  readonly name = 's3';

  constructor(
    private readonly buckets: Buckets,
    private readonly endpoints: Endpoints,
  ) {
    super();
  }

  check(): readonly HealthResult[] {
    const ids = [...new Set(this.buckets.list().map(({ endpointId }) => endpointId))];
    const troubles = ids.flatMap((id) => {
      const why = this.endpoints.trouble(id);
      return why === undefined ? [] : [`${id}: ${why}`];
    });
    if (troubles.length === 0) {
      return [
        {
          name: this.name,
          healthy: true,
          detail: `${ids.length} endpoint(s) with buckets, none known to be out of reach`,
        },
      ];
    }
    return [
      {
        name: this.name,
        healthy: true,
        degraded: true,
        state: 'out-of-reach',
        detail: `this node hands back tasks of endpoints that it cannot reach: ${troubles.join('; ')}`,
        remedy:
          'Let this node reach them, or start it without the role worker. Where there is no such endpoint any more, remove its buckets: sallyport bucket remove ENDPOINT BUCKET.',
      },
    ];
  }
}
