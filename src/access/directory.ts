import { Injectable } from '@nestjs/common';
import { isUuid } from '../cursor.js';
import { Database } from '../database/database.js';
import { DECIDERS, hasRole, knownRoles, type AccessRole } from './principal.js';

/** Somebody with a local account, as other stages see them. */
export interface DirectoryPerson {
  readonly id: string;
  /** By which they log in; nobody else has it. */
  readonly login: string;
  /** What they are called: their display name where they have one. */
  readonly name: string;
  readonly email?: string | undefined;
  /** Their own and their groups'. */
  readonly roles: readonly AccessRole[];
  /** Names of their groups. */
  readonly groups: readonly string[];
  /** Review queues in which they are approvers, by grants to them and to their groups. */
  readonly approves: readonly string[];
  readonly disabled: boolean;
}

export interface DirectoryGroup {
  readonly id: string;
  readonly name: string;
  /** Ids of people, disabled ones too. */
  readonly members: readonly string[];
}

/** No more accounts than this are made, so no list of them is cut off. */
export const MAX_PEOPLE = 10_000;
export const MAX_GROUPS = 1_000;

interface PersonRow {
  readonly id: string;
  readonly login: string;
  readonly name: string;
  readonly email: string | null;
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  readonly approves: readonly string[];
  readonly disabled: boolean;
}

/**
 * Who the people and the groups are, for other stages. Every method is one statement, and reads what is there now: a
 * person who was disabled a moment ago is.
 */
@Injectable()
export class Directory {
  constructor(private readonly db: Database) {}

  /** Everybody, disabled ones too, by name. */
  async people(): Promise<readonly DirectoryPerson[]> {
    return (await this.db.query<PersonRow>(selectPeople(''), [MAX_PEOPLE])).map(personOf);
  }

  /** Who may decide reviews and is not disabled; `queues` are the only ones, where a grant is all they have. */
  async deciders(): Promise<readonly (DirectoryPerson & { readonly queues?: readonly string[] })[]> {
    return (await this.people()).flatMap((person) => {
      if (person.disabled) return [];
      if (hasRole(person, DECIDERS)) return [person];
      return person.approves.length === 0 ? [] : [{ ...person, queues: person.approves }];
    });
  }

  /** @returns undefined for an id that is nobody's. */
  async person(id: string): Promise<DirectoryPerson | undefined> {
    // Ids of other kinds (a key's, `mail:…`) are nobody's, and no error.
    if (!isUuid(id)) return undefined;
    const [row] = await this.db.query<PersonRow>(selectPeople('WHERE u.id = $2'), [1, id]);
    return row && personOf(row);
  }

  /** All groups with the ids of their members, by name. */
  async groups(): Promise<readonly DirectoryGroup[]> {
    return this.db.query<DirectoryGroup>(
      `SELECT g.id, g.name,
              ARRAY(SELECT m.user_id::text FROM access_group_member m WHERE m.group_id = g.id ORDER BY 1 LIMIT $2)
                AS members
       FROM access_group g ORDER BY lower(g.name) LIMIT $1`,
      [MAX_GROUPS, MAX_PEOPLE],
    );
  }
}

const selectPeople = (where: string): string => `
  SELECT u.id, u.name AS login, coalesce(u.display_name, u.name) AS name, u.email, u.disabled,
         u.roles || ARRAY(
           SELECT unnest(g.roles) FROM access_group_member m JOIN access_group g ON g.id = m.group_id
           WHERE m.user_id = u.id) AS roles,
         ARRAY(
           SELECT g.name FROM access_group_member m JOIN access_group g ON g.id = m.group_id
           WHERE m.user_id = u.id ORDER BY lower(g.name)) AS groups,
         ARRAY(
           SELECT DISTINCT a.scope FROM access_grant a
           WHERE a.role = 'approver'
             AND ((a.holder_kind = 'user' AND a.holder_id = u.id::text)
               OR (a.holder_kind = 'group' AND a.holder_id IN (
                 SELECT m.group_id::text FROM access_group_member m WHERE m.user_id = u.id)))
           ORDER BY a.scope) AS approves
  FROM app_user u ${where} ORDER BY u.name LIMIT $1`;

const personOf = ({
  id,
  login,
  name,
  email,
  roles,
  groups,
  approves,
  disabled,
}: PersonRow): DirectoryPerson => ({
  id,
  login,
  name,
  ...(email !== null && { email }),
  roles: knownRoles(roles),
  groups,
  approves,
  disabled,
});
