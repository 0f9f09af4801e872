import type { ChatPostMessageResponse, WebClient } from '@slack/web-api';

/** Somebody in the tests of the stand-in. */
export const alice = { id: 'U0ALICE', name: 'alice' };

export const button = (actionId: string, value = 'v') => ({
  type: 'button' as const,
  action_id: actionId,
  value,
  text: { type: 'plain_text' as const, text: actionId },
});

export const actions = (...ids: string[]) => [
  { type: 'actions' as const, elements: ids.map((id) => button(id)) },
];

export const modal = (blocks: unknown[] = [], more: object = {}) => ({
  type: 'modal' as const,
  title: { type: 'plain_text' as const, text: 'A form' },
  submit: { type: 'plain_text' as const, text: 'Send' },
  callback_id: 'form',
  blocks: blocks as never[],
  ...more,
});

/** Posts anything, also what the types of the SDK would not let through. */
export const post = (web: WebClient, message: Record<string, unknown>): Promise<ChatPostMessageResponse> =>
  web.apiCall('chat.postMessage', message);

/** The code that Slack's refusal carries. */
export async function refusal(call: Promise<unknown>): Promise<unknown> {
  try {
    await call;
  } catch (error) {
    const { data, code, retryAfter } = error as {
      data?: { error?: string };
      code?: string;
      retryAfter?: number;
    };
    return data?.error ?? (retryAfter === undefined ? code : `retry after ${retryAfter}`);
  }
  return 'not refused';
}
