/** What the place with this number holds: no two alike, so that a value of another place is seen. */
export function heldAt(nonce: number, place: number): number {
  return nonce * 1000 + place;
}
