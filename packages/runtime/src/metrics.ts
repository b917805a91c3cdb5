/** Counters, gauges and histograms with the Prometheus text exposition. Names are `penstock_<stage>_<what>_<unit>`. */
export interface Counter {
  add(amount?: number): void;
  readonly value: number;
}
export interface Gauge {
  set(value: number): void;
  readonly value: number;
}
export interface Histogram {
  observe(value: number): void;
}
export interface Metrics {
  /** the same name and labels give the same counter; `help` is a sentence for people */
  counter(name: string, help: string, labels?: Readonly<Record<string, string>>): Counter;
  gauge(name: string, help: string, labels?: Readonly<Record<string, string>>): Gauge;
  histogram(
    name: string,
    help: string,
    buckets: readonly number[],
    labels?: Readonly<Record<string, string>>,
  ): Histogram;
  /** value of each counter, summed over its labels */
  totals(): Record<string, number>;
  /** @source Prometheus text exposition format 0.0.4 */
  expose(): string;
}
