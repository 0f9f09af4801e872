import { createHash } from 'node:crypto';
import type { Config } from '../../config.js';
import { queueNameOf } from '../../s3/message-queues.js';

/** A queue that is polled, by the name under which people and metrics know it. */
export interface EventQueue {
  readonly name: string;
  readonly url: string;
}

/** The configured queues. Two of the same name, in other accounts or regions, are told apart by their URLs. */
export function eventQueues({ SQS_QUEUE_URLS: urls }: Pick<Config, 'SQS_QUEUE_URLS'>): readonly EventQueue[] {
  const unique = [...new Set(urls)];
  const names = unique.map(queueNameOf);
  return unique.map((url, index) => {
    const name = names[index] ?? '';
    const isAlone = names.filter((other) => other === name).length === 1;
    return { url, name: isAlone ? name : `${name}.${digest(url)}` };
  });
}

const digest = (url: string): string => createHash('sha256').update(url).digest('hex').slice(0, 8);
