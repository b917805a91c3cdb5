export interface SystemCalls {
  /** by marker: when the first sync after the write that holds it had ended */
  readonly syncedAt: ReadonlyMap<string, number>;
  /** when each write to a connection of the port began */
  readonly sends: readonly number[];
}

/** `-ttt -T -yy -f`: thread, seconds, call; the second half of a call that another thread interrupted stands on a later line. */
const linePattern = /^(\d+)\s+(\d+\.\d+)\s+(.*)$/;
const isSend = /^(write|writev|sendto|sendmsg)\(/;
const isWrite = /^pwrite(64|v)\(/;

/**
 * Reads a trace of system calls, times in seconds of the wall clock.
 *
 * @param options.file end of the file's path
 * @param options.port own port of the connections
 */
export function fsyncsAndSends(options: {
  readonly trace: string;
  readonly file: string;
  readonly port: number;
  readonly markers: readonly string[];
}): SystemCalls {
  const { file, port, markers } = options;
  const syncedAt = new Map<string, number>();
  const sends: number[] = [];
  /** written, and not synced by a call that began later */
  const written = new Set<string>();
  /** by thread: what a sync that is under way will have covered when it ends */
  const syncing = new Map<string, readonly string[]>();
  for (const line of options.trace.split("\n")) {
    const match = linePattern.exec(line);
    if (match === null) continue;
    const [, thread = "", stamp = "", call = ""] = match;
    const time = Number(stamp);
    const isEnd = /^<\.\.\. (fsync|fdatasync) resumed>/.test(call);
    if (isEnd) {
      const covered = syncing.get(thread);
      syncing.delete(thread);
      if (/= 0/.test(call)) markSynced(covered ?? [], time);
    } else if (isSend.test(call)) {
      if (call.includes(`:${port}->`)) sends.push(time);
    } else if (!call.includes(`${file}>`)) {
      // A file or socket that is not asked for.
    } else if (isWrite.test(call)) {
      for (const marker of markers) if (!syncedAt.has(marker) && call.includes(marker)) written.add(marker);
    } else if (/^f(data)?sync\(/.test(call)) {
      if (call.includes("<unfinished")) syncing.set(thread, [...written]);
      else if (/= 0/.test(call)) markSynced([...written], time + Number(/<([\d.]+)>$/.exec(call)?.[1] ?? 0));
    }
  }
  return { syncedAt, sends };

  function markSynced(covered: readonly string[], time: number): void {
    for (const marker of covered) {
      written.delete(marker);
      if (!syncedAt.has(marker)) syncedAt.set(marker, time);
    }
  }
}
