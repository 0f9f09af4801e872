/** A SARIF log of one run, as the service gives a page of findings. */
export interface SarifPage {
  readonly runs: readonly [SarifRun];
}

interface SarifRun {
  readonly tool: {
    readonly driver: {
      readonly rules: readonly SarifRule[];
    };
  };
  readonly results: readonly SarifResult[];
  readonly properties?: { readonly nextCursor?: string };
}

interface SarifRule {
  readonly id: string;
}

interface SarifResult {
  readonly ruleId: string;
  readonly ruleIndex: number;
}

/** Pages of a list as one log with one run: code hosts take one run of a tool. */
export class SarifPages {
  private readonly indexes = new Map<string, number>();
  private readonly rules: SarifRule[] = [];
  private readonly results: SarifResult[] = [];
  private first: SarifPage | undefined;

  /** How many results there are by now. */
  get count(): number {
    return this.results.length;
  }

  add(page: SarifPage): void {
    this.first ??= page;
    const [{ tool, results }] = page.runs;
    for (const rule of tool.driver.rules) {
      if (!this.indexes.has(rule.id)) this.indexes.set(rule.id, this.rules.push(rule) - 1);
    }
    for (const result of results) {
      this.results.push({ ...result, ruleIndex: this.indexes.get(result.ruleId) ?? -1 });
    }
  }

  /** All of it; where the pages ended too early, `nextCursor` says where. */
  whole(nextCursor: string | undefined): SarifPage {
    if (this.first === undefined) throw new Error('no page was added');
    const [run] = this.first.runs;
    const { nextCursor: _, ...properties } = run.properties ?? {};
    return {
      ...this.first,
      runs: [
        {
          ...run,
          tool: { ...run.tool, driver: { ...run.tool.driver, rules: this.rules } },
          results: this.results,
          properties: { ...properties, ...(nextCursor !== undefined && { nextCursor }) },
        },
      ],
    };
  }
}

export const cursorOf = (page: SarifPage): string | undefined => page.runs[0].properties?.nextCursor;
