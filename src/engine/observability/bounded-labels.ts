/** What stands for every name beyond the bound. */
export const OTHER = 'other';

const MAX_CHARACTERS = 120;

/**
 * Names of workflows and tasks come from whoever may register them; as labels they would make series without end. The
 * first `max` names of this process get a label of their own, all others share {@link OTHER}.
 */
export class BoundedLabels {
  private readonly labels = new Map<string, string>();

  constructor(private readonly max: number) {}

  /** Names longer than 120 characters are cut. */
  of(name: string): string {
    const known = this.labels.get(name);
    if (known !== undefined) return known;
    if (this.labels.size >= this.max) return OTHER;
    const label = name.slice(0, MAX_CHARACTERS);
    this.labels.set(name, label);
    return label;
  }

  /** The names that have a label of their own. */
  get names(): readonly string[] {
    return [...this.labels.keys()];
  }
}
