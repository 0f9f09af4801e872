import type { Provider, Type } from '@nestjs/common';
import { ActForm } from './act.form.js';
import { ActDoer } from './acts/act-doer.js';
import { SLACK_ACTS, type SlackAct } from './acts/act.js';
import { AnswerAct } from './acts/answer.act.js';
import { AskUploaderAct } from './acts/ask-uploader.act.js';
import { AskAct } from './acts/ask.act.js';
import { CommentAct } from './acts/comment.act.js';
import { DelegateAct } from './acts/delegate.act.js';
import { HoldAct } from './acts/hold.act.js';
import { PersonField } from './acts/person-field.js';
import { PostponeAct } from './acts/postpone.act.js';
import { ReassignAct } from './acts/reassign.act.js';
import { SkipAct } from './acts/skip.act.js';
import { WithdrawAct } from './acts/withdraw.act.js';
import { SLACK_BUTTONS, SLACK_FORMS, type SlackButton, type SlackForm } from './answer.js';
import { ClaimButton } from './claim.button.js';
import { DecideButton } from './decide/decide.button.js';
import { DecideForm } from './decide/decide.form.js';
import { HomeFilterButton } from '../home/filter.button.js';
import { LinkHomeButton } from '../home/link-home.button.js';
import { MoreButton } from './more.button.js';
import { MoreForm } from './more.form.js';
import { ReleaseButton } from './release.button.js';
import { ResumeButton } from './resume.button.js';
import { ReviewSight } from './review-sight.js';
import { SlackModals } from './slack-modals.js';

const BUTTONS: readonly Type<SlackButton>[] = [
  DecideButton,
  ClaimButton,
  ReleaseButton,
  ResumeButton,
  MoreButton,
  HomeFilterButton,
  LinkHomeButton,
];
const FORMS: readonly Type<SlackForm>[] = [DecideForm, MoreForm, ActForm];

/** In the order in which they are listed. */
const ACTS: readonly Type<SlackAct>[] = [
  AnswerAct,
  ReassignAct,
  DelegateAct,
  HoldAct,
  PostponeAct,
  AskAct,
  AskUploaderAct,
  WithdrawAct,
  SkipAct,
  CommentAct,
];

const listed = (token: symbol, types: readonly Type[]): Provider => ({
  provide: token,
  useFactory: (...all: unknown[]) => all,
  inject: [...types],
});

/** How people answer in Slack. */
export const ANSWER_PROVIDERS: readonly Provider[] = [
  SlackModals,
  ReviewSight,
  PersonField,
  ActDoer,
  ...ACTS,
  ...BUTTONS,
  ...FORMS,
  listed(SLACK_ACTS, ACTS),
  listed(SLACK_BUTTONS, BUTTONS),
  listed(SLACK_FORMS, FORMS),
];
