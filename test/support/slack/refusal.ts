/** Any object as it comes off a wire. */
export type Json = Record<string, unknown>;

/** Slack's “no”: an error code, and what else stands in the answer. */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(
    readonly code: string,
    readonly more: Json = {},
  ) {
    super(code);
  }

  /** Refuses for reasons that Slack spells out in response_metadata. */
  static because(code: string, reasons: readonly string[]): Refusal {
    return new Refusal(code, {
      response_metadata: { messages: reasons.map((reason) => `[ERROR] ${reason}`) },
    });
  }

  get answer(): Json {
    return { ok: false, error: this.code, ...this.more };
  }
}
