import { eventually } from '../../test/support/eventually.js';
import type { FakeSlack } from '../../test/support/slack/fake-slack.js';

const PATIENCE_MS = 45_000;

/** A day that passes at once looks to the socket like a silent peer: it connects anew, and what was clicked is clicked again. */
export const whileConnected = <T>(slack: FakeSlack, act: () => Promise<T>): Promise<T> =>
  eventually(async () => (slack.connections === 0 ? undefined : act()), {
    timeoutMs: PATIENCE_MS,
    what: 'the service is connected to the chat',
  });
