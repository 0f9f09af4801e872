import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { SlackEventHandler, type SlackEvent } from '../inbound/events.js';
import type { Handled, SlackHome } from '../inbound/handled.js';
import { SlackId } from '../inbound/payloads.js';
import { HomeTabs } from './home-tabs.js';

const Opened = z.object({ user: SlackId, tab: z.string().max(60).default('home') });

/** Somebody opened the app's Home tab. */
@Injectable()
export class HomeOpened extends SlackEventHandler {
  readonly eventType = 'app_home_opened';

  constructor(private readonly tabs: HomeTabs) {
    super();
  }

  async received({ body }: SlackEvent, home: SlackHome): Promise<Pick<Handled, 'afterwards'>> {
    const opened = Opened.safeParse(body);
    if (!opened.success || opened.data.tab !== 'home') return {};
    const { user } = opened.data;
    // Lost with the process, it comes when they open it again.
    return { afterwards: () => this.tabs.opened(user, home) };
  }
}
