import { Global, Module, type DynamicModule } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Clock } from '../clock.js';
import { Clock as ClockToken } from '../clock.js';
import { Database } from './database.js';
import { Notices } from './notices.js';
import { RestoreHold } from './restore-hold.js';

/** The database and the clock that follows it; global, with the configuration, because every stage uses them. */
@Global()
@Module({})
export class DatabaseModule {
  static using(parts: {
    database: Database;
    dataSource: DataSource;
    clock: Clock;
    notices: Notices;
  }): DynamicModule {
    const providers = [
      { provide: Database, useValue: parts.database },
      { provide: DataSource, useValue: parts.dataSource },
      { provide: ClockToken, useValue: parts.clock },
      { provide: Notices, useValue: parts.notices },
      RestoreHold,
    ];
    return {
      module: DatabaseModule,
      providers,
      exports: [Database, DataSource, ClockToken, Notices, RestoreHold],
    };
  }
}
