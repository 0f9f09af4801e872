import {
  Inject,
  Module,
  type BeforeApplicationShutdown,
  type DynamicModule,
  type ModuleMetadata,
} from '@nestjs/common';
import { Clock } from '../../clock.js';
import { Attendance } from './attendance.js';
import { ChangeFeed } from './change-feed.js';
import { StreamController } from './stream.controller.js';

/** Ends the streams before the server waits for its connections. */
class StreamLife implements BeforeApplicationShutdown {
  constructor(
    @Inject(Attendance) private readonly attendance: Attendance,
    @Inject(ChangeFeed) private readonly feed: ChangeFeed,
  ) {}

  beforeApplicationShutdown(): void {
    this.attendance.stop();
    this.feed.stop();
  }
}

/** `GET /api/v1/stream`. Needs the engine's module, whose commits feed it, and the access guard. */
@Module({})
export class StreamModule {
  static with({ imports }: Required<Pick<ModuleMetadata, 'imports'>>): DynamicModule {
    return {
      module: StreamModule,
      imports,
      controllers: [StreamController],
      providers: [
        {
          provide: Attendance,
          inject: [Clock, ChangeFeed],
          useFactory: (clock: Clock, feed: ChangeFeed) => new Attendance(clock, () => feed.behindSince),
        },
        StreamLife,
      ],
      exports: [Attendance],
    };
  }
}
