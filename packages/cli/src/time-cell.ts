/** A time of the API as a person reads it, the same everywhere: "2026-11-23 07:14:24Z". What is finer is cut. */
export function timeText(time: string | null | undefined): string {
  return time === null || time === undefined ? "-" : `${time.slice(0, 10)} ${time.slice(11, 19)}Z`;
}

/** Where readings of one second must be told apart: "2026-11-23 07:14:24.120Z". */
export function readingTimeText(time: string): string {
  return `${time.slice(0, 10)} ${time.slice(11, 23)}Z`;
}
