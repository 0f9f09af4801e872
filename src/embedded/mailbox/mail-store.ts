import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { CaughtMail } from '../../outbound/mailbox/mailbox.js';

const Summary = z.object({
  id: z.string(),
  from: z.string(),
  to: z.array(z.string()),
  subject: z.string(),
  date: z.string(),
});

const ID = /^[0-9]{15}-[0-9a-f]{8}$/;

/**
 * Caught mails as files: `ID.eml` is the mail as it came, `ID.json` what the list shows.
 *
 * A mail exists once its `.json` does, which is written last. Ids sort by time of arrival. Only the newest `limit`
 * mails are kept.
 */
export class MailStore {
  private newestFirst: CaughtMail[] = [];

  private constructor(
    private readonly directory: string,
    private readonly limit: number,
  ) {}

  /** Opens the folder, made when missing, and removes what an interrupted delivery left in it. */
  static async open(directory: string, limit: number): Promise<MailStore> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const store = new MailStore(directory, limit);
    await store.load();
    return store;
  }

  list(): readonly CaughtMail[] {
    return this.newestFirst;
  }

  find(id: string): CaughtMail | undefined {
    return this.newestFirst.find((mail) => mail.id === id);
  }

  source(id: string): Promise<Buffer> {
    return readFile(join(this.directory, `${id}.eml`));
  }

  /** Keeps a mail; resolves when it is on disk. */
  async add(source: Buffer, facts: Omit<CaughtMail, 'id'>): Promise<CaughtMail> {
    const arrived = String(Date.parse(facts.date)).padStart(15, '0');
    const mail: CaughtMail = { id: `${arrived}-${randomBytes(4).toString('hex')}`, ...facts };
    await this.write(`${mail.id}.eml`, source);
    await this.write(`${mail.id}.json`, Buffer.from(JSON.stringify(mail)));
    this.newestFirst = [mail, ...this.newestFirst].sort(byNewest);
    for (const old of this.newestFirst.splice(this.limit)) await this.remove(old.id);
    return mail;
  }

  private async write(name: string, content: Buffer): Promise<void> {
    const aside = join(this.directory, `${name}.part`);
    const file = await open(aside, 'w', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, join(this.directory, name));
  }

  private async remove(id: string): Promise<void> {
    await rm(join(this.directory, `${id}.json`), { force: true });
    await rm(join(this.directory, `${id}.eml`), { force: true });
  }

  private async load(): Promise<void> {
    const names = new Set(await readdir(this.directory));
    for (const name of names) {
      const [id = '', kind] = name.split('.', 2);
      const isWhole =
        ID.test(id) && names.has(`${id}.eml`) && names.has(`${id}.json`) && !name.endsWith('.part');
      const mail = isWhole && kind === 'json' ? await this.readSummary(name) : undefined;
      if (mail !== undefined) this.newestFirst.push(mail);
      if (!isWhole && ID.test(id)) await rm(join(this.directory, name), { force: true });
    }
    this.newestFirst.sort(byNewest);
    for (const old of this.newestFirst.splice(this.limit)) await this.remove(old.id);
  }

  private async readSummary(name: string): Promise<CaughtMail | undefined> {
    try {
      return Summary.parse(JSON.parse(await readFile(join(this.directory, name), 'utf8')));
    } catch {
      return undefined; // A file that somebody changed by hand: one mail less in the list, and no reason not to start.
    }
  }
}

const byNewest = (one: CaughtMail, other: CaughtMail): number =>
  one.id < other.id ? 1 : one.id > other.id ? -1 : 0;
