import { atMost } from '../../bench/engine/stage.js';
import type { Row } from '../../bench/row.js';

/** By how much a figure may be worse than it must be; 1 where it is to count. */
export interface Patience {
  readonly times: number;
  readonly ratios: number;
}

/** What is asked of the figures, and whether each is so. */
export class Bars {
  private readonly rows: Row[] = [];

  constructor(
    private readonly patience: Patience,
    private readonly say: (line: string) => void,
  ) {}

  time(name: string, value: number, must: number, unit: string, from: string): void {
    this.add(atMost(name, value, must * this.patience.times, unit, from));
  }

  /** Of two times that were measured by turns. */
  ratio(name: string, value: number, must: number, from: string): void {
    this.add(atMost(name, value, must * this.patience.ratios, 'x', from));
  }

  /** Anything that no other work on the machine changes. */
  exact(name: string, value: number, must: number, unit: string, from: string): void {
    this.add(atMost(name, value, must, unit, from));
  }

  private add(row: Row): void {
    this.rows.push(row);
    this.say(
      `${row.ok ? 'held' : 'MISSED'}: ${row.name}: ${row.value} ${row.unit}, must be ${row.must} (${row.from})`,
    );
  }

  get figures(): Readonly<Record<string, Omit<Row, 'name'>>> {
    return Object.fromEntries(this.rows.map(({ name, ...row }) => [name, row]));
  }

  get hold(): boolean {
    return this.rows.length > 0 && this.rows.every(({ ok }) => ok);
  }
}
