import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { Database } from '../../../../database/database.js';
import { Metadata } from '../../../../engine/ports.js';
import { queueName } from '../../../human-input.js';
import { PLAIN_POLICY } from '../../../rules/policy.js';
import { hasReviews } from '../sql/queues.js';

const Human = z.object({ type: z.literal('HUMAN'), inputParameters: z.object({ queue: queueName }) });
const Template = z.object({ inputTemplate: z.object({ queue: queueName }) });

const MOST_NAMED = 10;

/** Queues that the steps of definitions name in so many words; one that comes from the input is not known before. Pure. */
export function queuesNamedIn(definitions: readonly unknown[]): Set<string> {
  const names = new Set<string>();
  const waiting = [...definitions];
  for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
    if (typeof one !== 'object' || one === null) continue;
    const queue =
      Human.safeParse(one).data?.inputParameters.queue ?? Template.safeParse(one).data?.inputTemplate.queue;
    if (queue !== undefined) names.add(queue);
    for (const inner of Object.values(one))
      if (typeof inner === 'object' && inner !== null) waiting.push(inner);
  }
  return names;
}

/** Tells whoever names a queue when nothing is known of it: queues are there by their reviews, and any name may be one. */
@Injectable()
export class KnownQueues {
  constructor(
    private readonly db: Database,
    private readonly metadata: Metadata,
  ) {}

  async isKnown(queue: string): Promise<boolean> {
    return (await this.hadReviews(queue)) || (await this.named()).has(queue);
  }

  /** A sentence that names the queue and what to do; `undefined` for one that is known. */
  async warningOf(queue: string): Promise<string | undefined> {
    if (await this.hadReviews(queue)) return undefined;
    const named = await this.named();
    if (named.has(queue)) return undefined;
    const known = [PLAIN_POLICY.queue, ...[...named].toSorted()];
    const more = known.length > MOST_NAMED ? `, and ${known.length - MOST_NAMED} more` : '';
    return `Nothing sends reviews to the queue ${queue} yet: no review ever came into it, and no definition names it in so many words. Check its name (known are ${known.slice(0, MOST_NAMED).join(', ')}${more}), or have a HUMAN task name it as its queue.`;
  }

  private async hadReviews(queue: string): Promise<boolean> {
    return queue === PLAIN_POLICY.queue || (await hasReviews(this.db, queue));
  }

  private async named(): Promise<Set<string>> {
    const [workflows, tasks] = await Promise.all([this.metadata.listWorkflows(), this.metadata.listTasks()]);
    return queuesNamedIn([...workflows, ...tasks]);
  }
}
