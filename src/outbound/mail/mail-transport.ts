/**
 * Where mail goes: SMTP_URL, or the embedded mailbox, whose address is known only once it listens. Asked again for
 * every mail, so that a new address is used from the next one on.
 */
export abstract class MailTransport {
  /** smtp:// or smtps://; `undefined` while there is none. */
  abstract smtpUrl(): string | undefined;
}
