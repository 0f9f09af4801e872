import { eventually } from '../../test/support/eventually.js';
import type { ServiceProcess } from '../../test/support/service-process.js';

const AT_ONCE = 20;

const WORKFLOW = {
  name: 'ask_in_slack',
  version: 1,
  schemaVersion: 2,
  ownerEmail: 'bench@example.com',
  tasks: [
    {
      name: 'ask',
      taskReferenceName: 'ask',
      type: 'HUMAN',
      inputParameters: { title: 'Number ${workflow.input.number}?', outcomes: ['release', 'delete'] },
    },
  ],
};

/** A question that waits for its answer. */
export interface Question {
  readonly id: string;
  readonly subjectDigest: string;
  readonly state: string;
  readonly decision: { readonly outcome: string; readonly via: string } | null;
}

export const questionsOf = (service: ServiceProcess): Promise<Question[]> =>
  service.all<Question>('/api/v1/reviews');

/** Starts so many workflows, each of which asks a person, and waits until all of them do. */
export async function ask(service: ServiceProcess, count: number): Promise<readonly Question[]> {
  await service.api('/api/metadata/workflow', { method: 'POST', body: WORKFLOW });
  for (let number = 0; number < count; number += AT_ONCE) {
    const numbers = Array.from({ length: Math.min(AT_ONCE, count - number) }, (_, index) => number + index);
    await Promise.all(
      numbers.map((one) =>
        service.api(`/api/workflow/${WORKFLOW.name}`, { method: 'POST', body: { number: one } }),
      ),
    );
  }
  return eventually(
    async () => {
      const questions = await questionsOf(service);
      return questions.length >= count ? questions : undefined;
    },
    { timeoutMs: 300_000, what: 'all questions' },
  );
}
