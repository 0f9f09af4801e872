/** A block, or a part of one. */
export type Block = Readonly<Record<string, unknown>>;

export const lengthOf = (value: unknown): number => (typeof value === 'string' ? value.length : 0);

/** Collects what is wrong with blocks, each with the place where it is. */
export class Complaints {
  readonly all: string[] = [];

  add(complaint: string): void {
    this.all.push(complaint);
  }

  /** A text object of either kind. */
  text(value: unknown, at: string, limit: number): void {
    const object = value as
      { type?: unknown; text?: unknown; emoji?: unknown; verbatim?: unknown } | undefined;
    if (object?.type !== 'plain_text' && object?.type !== 'mrkdwn') this.add(`${at}: not a text object`);
    else if (typeof object.text !== 'string') this.add(`${at}: no text`);
    else if (object.text.length > limit) this.add(`${at}: ${object.text.length} > ${limit}`);
    else if (object.text.length < 1) this.add(`${at}: empty`);
    else if (object.type === 'mrkdwn' && object.emoji !== undefined) this.add(`${at}.emoji: not in mrkdwn`);
    else if (object.type === 'plain_text' && object.verbatim !== undefined)
      this.add(`${at}.verbatim: not in plain_text`);
  }

  plain(value: unknown, at: string, limit: number): void {
    if ((value as { type?: unknown } | undefined)?.type !== 'plain_text') this.add(`${at}: not plain_text`);
    else this.text(value, at, limit);
  }

  /** action_id, block_id and their like. */
  id(value: unknown, at: string): void {
    if (value === undefined) return;
    if (typeof value !== 'string' || value === '') this.add(`${at}: not an id`);
    else if (value.length > 255) this.add(`${at}: too long`);
  }

  list(value: unknown, at: string, max: number): Block[] {
    if (!Array.isArray(value) || value.length === 0) {
      this.add(`${at}: empty`);
      return [];
    }
    if (value.length > max) this.add(`${at}: ${value.length} > ${max}`);
    return value as Block[];
  }
}
