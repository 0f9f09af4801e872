import type { Provider } from '@nestjs/common';
import { SlackDigestClock } from '../digests/digest-clock.js';
import { SlackDigestHandler } from '../digests/digest.handler.js';
import { SlackStormHandler } from '../digests/storm.handler.js';
import { SlackStorms } from '../digests/storms.js';
import { SlackThreadHandler } from '../threads/thread.handler.js';
import { AfterTrouble } from './after-trouble.js';
import { BrokenSlack } from './broken-slack.js';
import { SlackCatchUp } from './catch-up.js';
import { SlackCopyHandler } from './copy.handler.js';
import { DirectSight } from './direct-sight.js';
import { SlackDirectHandler } from './direct.handler.js';
import { SlackPostHandler } from './post.handler.js';
import { SlackCheckHandler } from './slack-check.handler.js';
import { SlackCopies } from './slack-copies.js';
import { SlackFallback } from './slack-fallback.js';
import { SlackSender } from './slack-sender.js';
import { SlackSteps, SlackStepsHandler } from './slack-steps.js';
import { SlackUpdateHandler } from './update.handler.js';

/** Handlers of everything that goes out to Slack. */
export const DELIVERY_HANDLERS = [
  SlackPostHandler,
  SlackDirectHandler,
  SlackUpdateHandler,
  SlackCopyHandler,
  SlackThreadHandler,
  SlackStormHandler,
  SlackStepsHandler,
  SlackDigestHandler,
  SlackCheckHandler,
] as const;

/** What goes out to Slack. */
export const DELIVERY_PROVIDERS: readonly Provider[] = [
  SlackSender,
  DirectSight,
  SlackCopies,
  SlackSteps,
  SlackStorms,
  SlackCatchUp,
  BrokenSlack,
  AfterTrouble,
  SlackFallback,
  SlackDigestClock,
  ...DELIVERY_HANDLERS,
];
