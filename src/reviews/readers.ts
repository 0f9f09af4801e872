/** Somebody who may see reviews, whether or not they decide them. */
export interface Reader {
  readonly id: string;
  /** By which they log in; nobody else has it. */
  readonly login: string;
  readonly name: string;
  readonly email?: string | undefined;
  /** The groups that they are in, by name. */
  readonly groups: readonly string[];
  /** The only queues that they see; all of them when absent. */
  readonly queues?: readonly string[] | undefined;
}

/** The local people who may see reviews now (not those that are disabled). Bound to the user directory. */
export abstract class Readers {
  abstract list(): Promise<readonly Reader[]>;
}

export const maySee = ({ queues }: Reader, queue: string): boolean =>
  queues === undefined || queues.includes(queue);
