/** A mapper that could serve; `isAway` when it has been gone for so long that others take its connections over. */
export interface Candidate {
  readonly name: string;
  readonly isAway: boolean;
}

/**
 * Which mapper serves which connection of a protocol. A connection stays together, since a bus has one master. One whose
 * settings name a mapper goes to that one or to none; the others are spread by a hash of both names, so that the answer is
 * the same after every restart and a mapper that comes or goes moves only its own share.
 *
 * @returns the mapper's name by connection, null where there is none
 */
export function assignConnections<C extends string>(
  connections: readonly { readonly uid: C; readonly mapper: unknown }[],
  candidates: readonly Candidate[],
): Map<C, string | null> {
  const present = candidates.filter(({ isAway }) => !isAway);
  const able = present.length > 0 ? present : candidates;
  return new Map(
    connections.map(({ uid, mapper }) => {
      if (typeof mapper === "string") return [uid, candidates.some(({ name }) => name === mapper) ? mapper : null];
      let best: { readonly name: string; readonly score: number } | null = null;
      for (const { name } of able) {
        const score = hash(`${uid} ${name}`);
        if (best === null || score > best.score || (score === best.score && name < best.name)) best = { name, score };
      }
      return [uid, best?.name ?? null];
    }),
  );
}

/** FNV-1a with a last mixing, since only the order of the scores counts. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x45d9f3b);
  return (value ^ (value >>> 16)) >>> 0;
}
