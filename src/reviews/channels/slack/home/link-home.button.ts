import { Injectable } from '@nestjs/common';
import { SlackButton, type Click } from '../answers/answer.js';
import { HomeTabs } from './home-tabs.js';
import { LINK_HOME_ACTION } from './home-view.js';

/** Of a tab that asks to link the account. Whoever is not linked is shown the link at any click; who is by now, their reviews. */
@Injectable()
export class LinkHomeButton extends SlackButton {
  readonly actionId = LINK_HOME_ACTION;

  constructor(private readonly tabs: HomeTabs) {
    super();
  }

  clicked({ payload, home }: Click): Promise<void> {
    return this.tabs.opened(payload.user.id, home);
  }
}
