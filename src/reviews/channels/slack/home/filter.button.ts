import { Injectable } from '@nestjs/common';
import { SlackButton, type Click } from '../answers/answer.js';
import { homeFilter } from './home-filter.js';
import { HomeTabs } from './home-tabs.js';
import { FILTER_ACTION } from './home-view.js';

/** Chooses what stands in one's own Home tab. */
@Injectable()
export class HomeFilterButton extends SlackButton {
  readonly actionId = FILTER_ACTION;

  constructor(private readonly tabs: HomeTabs) {
    super();
  }

  async clicked({ payload, value, home }: Click): Promise<void> {
    await this.tabs.filtered(payload.user.id, homeFilter(value), home);
  }
}
