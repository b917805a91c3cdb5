/** FNV-1a, 32 bits. @source draft-eastlake-fnv-17, 2 */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
}

/** Longest that a new group waits for its first read, in microseconds, however long its cycle is. */
const firstReadWithinUs = 500_000;

/** Devices of one cycle time start spread over it, at the same place after every restart. */
export function phaseOf(device: string, everyUs: number): number {
  return hashText(device) % everyUs;
}

/** When a group that comes at `now` is read first: soon, so that nobody waits an hour for an hourly value. */
export function firstDue(device: string, everyUs: number, now: number): number {
  return now + phaseOf(device, Math.min(everyUs, firstReadWithinUs));
}

/** The next time after `now` on the group's grid; it does not depend on when the last cycle really ran. */
export function nextDue(device: string, everyUs: number, now: number): number {
  const phase = phaseOf(device, everyUs);
  return (Math.floor((now - phase) / everyUs) + 1) * everyUs + phase;
}
