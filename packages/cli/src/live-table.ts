import { clean, tableText } from "./print-table.ts";
import { readingTimeText } from "./time-cell.ts";
import { valueText } from "./value-cell.ts";

export interface LiveReading {
  readonly device: string;
  readonly property: string;
  readonly time: string;
  readonly value: unknown;
  readonly quality: string;
  readonly reason: string | null;
}

/**
 * The newest value of each property: on a terminal a table that is drawn anew twice a second, otherwise one line per
 * value and second.
 */
export class LiveTable {
  readonly #latest = new Map<string, LiveReading>();
  readonly #printed = new Map<string, number>();
  readonly #units: ReadonlyMap<string, string>;
  #drawnLines = 0;

  /** @param units of "device.property" */
  constructor(units: ReadonlyMap<string, string>) {
    this.#units = units;
  }

  /** @returns lines to print at once when there is no terminal */
  take(reading: LiveReading, nowMs: number): string[] {
    const key = `${reading.device}.${reading.property}`;
    this.#latest.set(key, reading);
    const second = Math.floor(nowMs / 1000);
    if (this.#printed.get(key) === second) return [];
    this.#printed.set(key, second);
    return [
      `${readingTimeText(reading.time)}  ${key}  ${this.#cell(key, reading)}  ${reading.quality}${reading.reason === null ? "" : `  ${reading.reason}`}`,
    ];
  }

  /** What to write to a terminal so that the table stands where it stood. */
  frame(rows: number): string {
    const sorted = [...this.#latest].sort(([a], [b]) => (a < b ? -1 : 1));
    const body = sorted.map(([key, reading]) => [
      key,
      this.#cell(key, reading),
      reading.quality,
      reading.reason ?? "",
      reading.time.slice(11, 23),
    ]);
    const lines = tableText(["value of", "now", "quality", "reason", "time (UTC)"], body).split("\n");
    const room = Math.max(3, rows - 8);
    const shown = lines.length > room ? [...lines.slice(0, room), `… and ${lines.length - room} more`] : lines;
    const up = this.#drawnLines > 0 ? `\u001b[${this.#drawnLines}A` : "";
    this.#drawnLines = shown.length;
    return `${up}${shown.map((line) => `\u001b[2K${line}`).join("\n")}\n`;
  }

  #cell(key: string, reading: LiveReading): string {
    return clean(valueText(reading.value, this.#units.get(key) ?? null));
  }
}
