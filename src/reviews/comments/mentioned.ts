import { Injectable } from '@nestjs/common';
import type { OutboxMessage } from '../../outbound/outbox.js';
import { newsMessage, type News } from '../channels/mail/review-news.js';
import { maySee, Readers, type Reader } from '../readers.js';
import type { Review } from '../review.js';
import type { Person } from '../rules/review.js';
import { mentionsIn } from './mentions.js';

/** A name that somebody's words mention, and whether its owner hears of it. */
export interface Mention {
  readonly name: string;
  /** `mail`; `no_address`: they may see the review and have no address; `nobody`: no such account, or it may not see it. */
  readonly told: 'mail' | 'no_address' | 'nobody' | 'self';
}

export interface Mentioned {
  readonly mentions: readonly Mention[];
  readonly messages: readonly OutboxMessage[];
}

/** What somebody wrote of a review, as news of it. */
export type Written = Pick<News, 'event' | 'where'> & { readonly text: string };

/** Finds who is named in what people write of a review, and tells them. */
@Injectable()
export class Mentions {
  constructor(private readonly readers: Readers) {}

  /** @param before the names that were told already, in small letters. */
  async of(
    review: Pick<Review, 'id' | 'policy'>,
    written: Written,
    by: Person,
    before: readonly string[] = [],
  ): Promise<Mentioned> {
    const names = mentionsIn(written.text).filter((name) => !before.includes(name.toLowerCase()));
    if (names.length === 0) return { mentions: [], messages: [] };
    const readers = await this.readers.list();
    const messages: OutboxMessage[] = [];
    const mentions = names.map((name): Mention => {
      const reader = named(readers, name);
      // Whether there is such an account is not told to whoever guesses names.
      if (reader === undefined || !maySee(reader, review.policy.queue)) return { name, told: 'nobody' };
      if (reader.id === by.id) return { name, told: 'self' };
      if (reader.email === undefined || reader.email === '') return { name, told: 'no_address' };
      const news = { ...written, what: 'mentioned', by: { id: by.id, name: by.name } };
      messages.push(newsMessage(review.id, reader, news));
      return { name, told: 'mail' };
    });
    return { mentions, messages };
  }
}

/** By login or address, in either case. */
function named(readers: readonly Reader[], name: string): Reader | undefined {
  const wanted = name.toLowerCase();
  return readers.find(
    ({ login, email }) => login.toLowerCase() === wanted || email?.toLowerCase() === wanted,
  );
}
