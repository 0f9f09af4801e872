import type { Provider, Type } from '@nestjs/common';
import { CommandDecision } from './command-decision.js';
import { NamedReview } from './named-review.js';
import { SLACK_VERBS, type SlackVerb } from './verb.js';
import { ClaimVerb } from './verbs/claim.verb.js';
import { DecideVerb } from './verbs/decide.verb.js';
import { ListVerb } from './verbs/list.verb.js';
import { MineVerb } from './verbs/mine.verb.js';
import { ReleaseVerb } from './verbs/release.verb.js';
import { ShowVerb } from './verbs/show.verb.js';
import { StatsVerb } from './verbs/stats.verb.js';

/** In the order of the help. */
const VERBS: readonly Type<SlackVerb>[] = [
  ListVerb,
  MineVerb,
  ShowVerb,
  ClaimVerb,
  ReleaseVerb,
  DecideVerb,
  StatsVerb,
];

/** What slash commands need beside their handler. */
export const COMMAND_PROVIDERS: readonly Provider[] = [
  NamedReview,
  CommandDecision,
  ...VERBS,
  { provide: SLACK_VERBS, useFactory: (...verbs: unknown[]) => verbs, inject: [...VERBS] },
];
