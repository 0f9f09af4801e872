import type { Instant } from '../../../../clock.js';
import type { InputState, ViewSubmission } from '../inbound/payloads.js';

/** What was said in a modal, by the block of each field. Each block has one field. */
export class Said {
  constructor(private readonly values: ViewSubmission['view']['state']['values']) {}

  /** What was typed, as it can be stored; empty when nothing was. */
  text(blockId: string): string {
    return (this.of(blockId)?.value ?? '').replaceAll('\u0000', '').toWellFormed();
  }

  choice(blockId: string): string | undefined {
    return this.of(blockId)?.selected_option?.value;
  }

  choices(blockId: string): readonly string[] {
    return (this.of(blockId)?.selected_options ?? []).map(({ value }) => value);
  }

  /** `2026-11-23`. */
  date(blockId: string): string | undefined {
    return this.of(blockId)?.selected_date ?? undefined;
  }

  moment(blockId: string): Instant | undefined {
    const seconds = this.of(blockId)?.selected_date_time ?? undefined;
    return seconds === undefined ? undefined : seconds * 1000;
  }

  private of(blockId: string): InputState | undefined {
    if (!Object.hasOwn(this.values, blockId)) return undefined;
    return Object.values(this.values[blockId] ?? {})[0];
  }
}
