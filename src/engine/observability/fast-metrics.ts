import { Counter, Histogram, type MetricType, type Registry } from 'prom-client';
import { BoundedLabels } from './bounded-labels.js';

/*
 * prom-client hashes labels at every call, about a microsecond each; a workflow of three tasks makes a dozen. These keep
 * plain numbers and speak prom-client's language only when somebody reads.
 */

/** A histogram without labels whose `add` costs a search among its bounds. */
export class FastHistogram extends Histogram {
  private readonly counts: number[];
  private sum = 0;
  private total = 0;

  constructor(
    registry: Registry,
    private readonly metricName: string,
    private readonly meaning: string,
    private readonly bounds: readonly number[],
  ) {
    super({ name: metricName, help: meaning, registers: [registry], buckets: [...bounds] });
    this.counts = bounds.map(() => 0);
  }

  /** Negative values, as of clocks that disagree, count as zero. */
  add(value: number): void {
    const measured = value > 0 ? value : 0;
    this.sum += measured;
    this.total += 1;
    let low = 0;
    let high = this.bounds.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (measured <= (this.bounds[middle] ?? Infinity)) high = middle;
      else low = middle + 1;
    }
    const count = this.counts[low];
    if (count !== undefined) this.counts[low] = count + 1;
  }

  /** What the registry calls for the text format; its type does not know it. */
  getForPromString() {
    return this.get();
  }

  override async get() {
    let below = 0;
    const buckets = this.bounds.map((le, index) => {
      below += this.counts[index] ?? 0;
      return { metricName: `${this.metricName}_bucket`, labels: { le }, value: below };
    });
    return {
      name: this.metricName,
      help: this.meaning,
      // The library declares a number and compares with this word.
      type: 'histogram' as unknown as MetricType,
      aggregator: 'sum' as const,
      collect: () => undefined,
      values: [
        ...buckets,
        { metricName: `${this.metricName}_bucket`, labels: { le: '+Inf' }, value: this.total },
        { metricName: `${this.metricName}_sum`, labels: {}, value: this.sum },
        { metricName: `${this.metricName}_count`, labels: {}, value: this.total },
      ],
    };
  }
}

/** Counts of one thing by a name (bounded) and one word of a fixed set, such as a status. */
export class NamedCounts {
  private readonly byName = new Map<string, Map<string, number>>();
  private readonly byLabel = new Map<string, Map<string, number>>();
  private readonly labels: BoundedLabels;

  constructor(
    registry: Registry,
    metric: { readonly name: string; readonly help: string; readonly labels: readonly [string, string?] },
    maxNames: number,
  ) {
    this.labels = new BoundedLabels(maxNames);
    const [nameLabel, wordLabel] = metric.labels;
    const { byLabel } = this;
    // Registers itself.
    void new Counter({
      name: metric.name,
      help: metric.help,
      labelNames: wordLabel === undefined ? [nameLabel] : [nameLabel, wordLabel],
      registers: [registry],
      collect() {
        this.reset();
        for (const [label, counts] of byLabel) {
          for (const [word, count] of counts) {
            this.inc(
              wordLabel === undefined ? { [nameLabel]: label } : { [nameLabel]: label, [wordLabel]: word },
              count,
            );
          }
        }
      },
    });
  }

  add(name: string, word = ''): void {
    const counts = this.byName.get(name) ?? this.countsOf(name);
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }

  private countsOf(name: string): Map<string, number> {
    const label = this.labels.of(name);
    const counts = this.byLabel.get(label) ?? new Map<string, number>();
    this.byLabel.set(label, counts);
    // Names beyond the bound are not remembered, only counted.
    if (this.byName.size < this.byLabel.size) this.byName.set(name, counts);
    return counts;
  }
}
