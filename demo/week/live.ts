import { eventually } from '../../test/support/eventually.js';
import { buttonsOf, type FakeMessage, type FakeSlack } from '../../test/support/slack/fake-slack.js';
import type { MovedService } from './moved-service.js';
import type { Somebody } from './people.js';
import { whileConnected } from './while-connected.js';
import type { Upload } from './uploads.js';

const PATIENCE_MS = 45_000;

/** A question that stands, and its message in the chat. */
export interface Asked {
  readonly reviewId: string;
  readonly key: string;
  readonly message: FakeMessage;
}

interface ObjectRow {
  readonly verdict: string;
  readonly openReviewId: string | null;
}

/** Uploads, and waits until each has its verdict and, where a person is asked, its message. */
export async function upload(
  moved: MovedService,
  slack: FakeSlack,
  uploads: readonly Upload[],
): Promise<readonly Asked[]> {
  for (const { key, body } of uploads) await moved.upload(key, body);
  const asked: Asked[] = [];
  for (const { key, asks } of uploads) {
    const reviewId = await eventually(
      async () => {
        const { items } = await moved.service.api<{ items: ObjectRow[] }>(
          `/api/v1/objects?bucket=uploads&key=${encodeURIComponent(key)}`,
        );
        const row = items.find(({ verdict }) => verdict !== 'pending');
        return row !== undefined && (!asks || row.openReviewId !== null)
          ? (row.openReviewId ?? 'nobody')
          : undefined;
      },
      { timeoutMs: PATIENCE_MS, what: `the verdict of ${key}` },
    );
    if (!asks) continue;
    const message = await eventually(
      () => slack.messages.find(({ metadata }) => JSON.stringify(metadata ?? {}).includes(reviewId)),
      { timeoutMs: PATIENCE_MS, what: `the message about ${key}` },
    );
    asked.push({ reviewId, key, message });
  }
  return asked;
}

/** Decides in the chat: the button, then the reason. */
export async function decideInChat(
  slack: FakeSlack,
  { message }: Asked,
  who: Somebody,
  outcome: 'release' | 'delete',
  reason: string,
): Promise<void> {
  const action = `review.decide:${outcome}`;
  await eventually(() => buttonsOf(message.blocks).some((button) => button['action_id'] === action), {
    timeoutMs: PATIENCE_MS,
    what: `the button ${outcome}`,
  });
  const ack = await whileConnected(slack, async () => {
    await slack.click(message, action, who.slack);
    await eventually(() => slack.views.has(who.slack.id), { timeoutMs: PATIENCE_MS, what: 'the form opens' });
    return slack.submit(who.slack, { reason: { text: reason } });
  });
  if (Object.keys(ack).length > 0) throw new Error(`the chat refused: ${JSON.stringify(ack).slice(0, 300)}`);
}

/** Does something to a review on the web, in the person's own session. */
export async function onTheWeb(
  { browser }: Somebody,
  { reviewId }: Asked,
  act: string,
  body: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { status, html } = await browser.call('POST', `/api/v1/reviews/${reviewId}/${act}`, body);
  if (status >= 400) throw new Error(`${act} answered ${status}: ${html.slice(0, 300)}`);
}
