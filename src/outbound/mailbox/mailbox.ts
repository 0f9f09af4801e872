/** A mail that the embedded mailbox caught, as its list shows it. */
export interface CaughtMail {
  readonly id: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  /** ISO 8601. */
  readonly date: string;
}

/** The mailbox that catches mail while no SMTP_URL is set; bound only then. */
export abstract class Mailbox {
  /** Newest first, bounded by the mailbox. */
  abstract list(): Promise<readonly CaughtMail[]>;
  abstract get(
    id: string,
  ): Promise<(CaughtMail & { readonly text: string; readonly html: string }) | undefined>;
}
