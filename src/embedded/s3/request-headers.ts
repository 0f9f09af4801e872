/** The headers of a request as they came: each name with all its values, one byte per character. */
export class RequestHeaders {
  private readonly values = new Map<string, string[]>();

  /** `raw` alternates names and values, as in node's `rawHeaders`. */
  constructor(raw: readonly string[]) {
    for (let i = 0; i + 1 < raw.length; i += 2) {
      const name = (raw[i] ?? '').toLowerCase();
      const values = this.values.get(name);
      if (values === undefined) this.values.set(name, [raw[i + 1] ?? '']);
      else values.push(raw[i + 1] ?? '');
    }
  }

  /** The value, several joined by a comma; `undefined` when the header is not there. */
  get(name: string): string | undefined {
    return this.values
      .get(name)
      ?.map((value) => value.trim())
      .join(',');
  }

  names(): string[] {
    return [...this.values.keys()];
  }

  /** The value as SigV4 signs it: trimmed, with runs of blanks made one. */
  canonical(name: string): string {
    return (this.values.get(name) ?? []).map((value) => value.trim().replace(/ +/g, ' ')).join(',');
  }
}
