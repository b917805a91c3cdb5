import { Instant } from "../../value/value.ts";
import { showTime } from "./part-calendar.ts";
import { offsetTextOf, zoneOf } from "./part-zone.ts";

/** A moment that is to be shown in a zone of its own, not in that of the rule: what convert_tz gives. */
export class ZonedInstant extends Instant {
  readonly timeZone: string;

  constructor(micros: number, timeZone: string) {
    super(micros);
    this.timeZone = timeZone;
  }

  /** With the offset, as Go writes it. @source RFC 3339, 5.6 */
  override toJSON(): string {
    const { ms, offsetMs, micro } = showTime(this, zoneOf(this.timeZone));
    const fraction = micro === 0 ? "" : `.${String(micro).padStart(6, "0").replace(/0+$/, "")}`;
    const offset = offsetMs === 0 ? "Z" : offsetTextOf(offsetMs, "+hh:mm");
    return new Date(ms + offsetMs).toISOString().replace(/\.\d{3}Z$/, fraction + offset);
  }
}
