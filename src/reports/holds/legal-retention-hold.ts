import { Injectable } from '@nestjs/common';
import type { Queryable } from '../../database/queryable.js';
import { RetentionHold } from '../../engine/retention/retention-hold.js';
import { heldWorkflows } from './legal-hold.js';

/** An execution stays, with its payloads, as long as somebody holds it for a case. */
@Injectable()
export class LegalRetentionHold extends RetentionHold {
  readonly name = 'legal holds';

  held(workflowIds: readonly string[], db: Queryable): Promise<ReadonlySet<string>> {
    return heldWorkflows(db, workflowIds);
  }
}
