import { readLine } from './journal-line.js';
import type { Journal } from './journal.js';
import type { Change, ObjectEvent } from './model.js';

// Found in a line only as a record's own type: inside a JSON string the quotes would be escaped.
const MARK = Buffer.from('"t":"event"');

/**
 * Reads events that are not delivered yet back from the journal.
 *
 * Nothing of the backlog is held in memory but the place up to which the journal has no pending event.
 */
export class EventLog {
  private readonly place = { generation: -1, offset: 0 };

  constructor(private readonly journal: Journal<Change>) {}

  /** The next events after number `after`, oldest first, at most `limit`. */
  async next(after: number, limit: number): Promise<readonly ObjectEvent[]> {
    const found: ObjectEvent[] = [];
    for await (const event of this.pending(after)) {
      found.push(event);
      if (found.length >= limit) break;
    }
    return found;
  }

  /** All events after number `after`, oldest first. */
  async *pending(after: number): AsyncGenerator<ObjectEvent> {
    const { generation } = this.journal.position;
    if (this.place.generation !== generation) {
      this.place.generation = generation;
      this.place.offset = 0;
    }
    let hasFound = false;
    for await (const line of this.journal.read(this.place.offset)) {
      const events = line.bytes.includes(MARK) ? eventsOf(line.bytes).filter((event) => event.n > after) : [];
      hasFound ||= events.length > 0;
      // A compaction meanwhile has made the offset meaningless.
      if (!hasFound && this.place.generation === this.journal.position.generation)
        this.place.offset = line.end;
      yield* events;
    }
  }
}

function eventsOf(line: Buffer): ObjectEvent[] {
  const changes: readonly Change[] = JSON.parse(readLine(line) ?? '[]');
  return changes.flatMap((change) => (change.t === 'event' ? [change.event] : []));
}
