/** What somebody sees in their Home tab. */
export const HOME_FILTERS = ['mine', 'groups', 'unassigned', 'breached'] as const;
export type HomeFilter = (typeof HOME_FILTERS)[number];

export const FILTER_LABELS: Readonly<Record<HomeFilter, string>> = {
  mine: 'Mine, and what asks me',
  groups: 'What asks my groups',
  unassigned: 'What nobody has',
  breached: 'What is overdue',
};

/** A filter as it was chosen or stored; the first for what is none. */
export const homeFilter = (name: string | undefined): HomeFilter =>
  HOME_FILTERS.find((one) => one === name) ?? 'mine';
