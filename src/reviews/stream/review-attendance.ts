import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { Attendance } from '../../engine/stream/attendance.js';
import { ReviewFeed } from './review-feed.js';

/** Who listens to what happens to reviews: see {@link Attendance}. Ends the streams before the server waits for its connections. */
@Injectable()
export class ReviewAttendance extends Attendance implements BeforeApplicationShutdown {
  constructor(clock: Clock, feed: ReviewFeed) {
    super(clock, () => feed.behindSince);
  }

  beforeApplicationShutdown(): void {
    this.stop();
  }
}
