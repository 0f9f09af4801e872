/* People, groups and grants, as the server tells them. */

export const ROLES = [
  'admin',
  'author',
  'operator',
  'analyst',
  'approver',
  'viewer',
  'auditor',
  'worker',
] as const;

export interface Person {
  readonly id: string;
  readonly name: string;
  readonly displayName: string | null;
  readonly email: string | null;
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  readonly disabled: boolean;
  readonly login: 'password' | 'provider';
  readonly identity: { readonly issuer: string; readonly subject: string } | null;
}

export interface Group {
  readonly id: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly memberCount: number;
}

export interface WholeGroup extends Group {
  readonly members: readonly { readonly id: string; readonly name: string }[];
}

export interface Grant {
  readonly id: string;
  readonly holder: { readonly kind: 'user' | 'group' | 'apikey'; readonly id: string };
  readonly role: 'approver' | 'owner';
  readonly scope: string;
  readonly createdBy: string;
}
