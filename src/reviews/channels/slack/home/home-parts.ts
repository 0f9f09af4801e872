import type { Provider } from '@nestjs/common';
import { HomeContents } from './home-content.js';
import { HomeTabs } from './home-tabs.js';
import { HomeTroubles } from './home-troubles.js';
import { HomeWatch } from './home-watch.js';
import { SlackHomeHandler } from './home.handler.js';

/** What the Home tab needs beside its handlers. */
export const HOME_PROVIDERS: readonly Provider[] = [
  HomeContents,
  HomeTroubles,
  HomeTabs,
  HomeWatch,
  SlackHomeHandler,
];
