import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../../config.js';
import { Egress } from '../../../outbound/egress/egress.js';

/** The way out to receivers: also to the networks that WEBHOOK_NETWORKS opens, and to those alone for this. */
@Injectable()
export class WebhookEgress extends Egress {
  constructor(@Inject(CONFIG) { WEBHOOK_NETWORKS }: Pick<Config, 'WEBHOOK_NETWORKS'>) {
    super({ allowed: WEBHOOK_NETWORKS });
  }
}
