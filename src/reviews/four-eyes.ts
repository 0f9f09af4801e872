import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { Engine } from '../engine/ports.js';
import type { HumanQuestion } from './human-input.js';
import { personOf, type Roster } from './people.js';
import type { Policy } from './rules/policy.js';
import type { Excluded, ExcludedAs, Person } from './rules/review.js';
import { isUndetermined, type Uploader } from './uploader/resolve.js';

/** Whom the policy keeps out, and of which of its roles nobody knows whose it is. */
export interface Judged {
  readonly excluded: readonly Excluded[];
  readonly undetermined: readonly ExcludedAs[];
}

/** Who has something to do with a question themselves, and so must not answer it. */
@Injectable()
export class FourEyes {
  constructor(
    private readonly db: Database,
    private readonly engine: Engine,
  ) {}

  /**
   * The local people whom the policy keeps out. Who is no local person cannot decide anyway; but an uploader whom nobody knows
   * may be any of those who do.
   *
   * @param uploaders as many as are told of: all of them are kept out, and one who is known is enough.
   */
  async judge(
    policy: Policy,
    question: HumanQuestion,
    uploaders: readonly Uploader[],
    asking: { readonly workflowId: string; readonly workflowName: string },
    roster: Roster,
  ): Promise<Judged> {
    const found: Excluded[] = [];
    const undetermined: ExcludedAs[] = [];
    const add = (person: Person | undefined, because: ExcludedAs): void => {
      if (person !== undefined && !found.some(({ id }) => id === person.id))
        found.push({ ...person, because });
    };
    for (const role of policy.fourEyes) {
      switch (role) {
        case 'requester':
          add(accountOf(question.requester ?? (await this.starter(asking.workflowId)), roster), role);
          break;
        case 'uploader':
          for (const uploader of uploaders)
            if ('account' in uploader) add({ id: uploader.account.id, name: uploader.account.name }, role);
          if (uploaders.every(isUndetermined)) undetermined.push(role);
          break;
        case 'definitionEditor':
          add(accountOf(await this.lastEditor(asking.workflowName), roster), role);
          break;
        case 'assigner':
          // Nobody yet: whoever gives it to somebody later.
          break;
        default:
          role satisfies never;
      }
    }
    return { excluded: found, undetermined };
  }

  private async starter(workflowId: string): Promise<string | undefined> {
    return (await this.engine.get(workflowId)).createdBy;
  }

  /** Of the audit record, which names whoever last registered any version of it. */
  private async lastEditor(workflowName: string): Promise<string | undefined> {
    const [row] = await this.db.query<{ actor: string }>(
      'SELECT actor FROM audit_event WHERE subject = $1 ORDER BY id DESC LIMIT 1',
      [`workflow_definition:${workflowName}`],
    );
    return row?.actor;
  }
}

/** `user:<id>` as actors are written, or an id, name or address. */
function accountOf(said: string | undefined, roster: Roster): Person | undefined {
  if (said === undefined || said.trim() === '') return undefined;
  const byId = roster.person(said.replace(/^user:/, ''));
  if (byId !== undefined) return personOf(byId);
  const party = roster.party({ kind: 'user', name: said.trim() });
  return party?.kind === 'user' ? { id: party.id, name: party.name } : undefined;
}
