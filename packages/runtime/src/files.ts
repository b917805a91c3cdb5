/**
 * The disk, as the outbox, the journals and the simulator see it. Every method rejects with the system's error
 * (`code` ENOSPC, ENOENT …); the caller turns it into an AppError. Paths are absolute or relative to nothing: plain
 * strings with "/" separators.
 */
export interface Files {
  /** creates the folder and its parents; a created name is durable after `syncFolder` of its parent */
  makeFolder(path: string): Promise<void>;
  /** names only, unsorted; [] when the folder does not exist */
  list(folder: string): Promise<string[]>;
  exists(path: string): Promise<boolean>;
  readAll(path: string): Promise<Uint8Array>;
  /** permission bits of a file, such as 0o600 */
  mode(path: string): Promise<number>;
  /** opens for appending, creating it if missing, `isSecret` with access for its owner alone; writes go at the end */
  openAppend(path: string, options?: { readonly isSecret?: boolean }): Promise<AppendFile>;
  openRead(path: string): Promise<ReadFile>;
  truncate(path: string, length: number): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** makes creations, renames and removals in the folder durable */
  syncFolder(folder: string): Promise<void>;
  /** free bytes for an unprivileged writer */
  free(folder: string): Promise<number>;
}
export interface AppendFile {
  readonly path: string;
  /** bytes written so far, durable or not */
  readonly length: number;
  /** resolves when the system has taken all bytes (not yet durable); on failure the file may hold a part of them */
  append(bytes: Uint8Array | readonly Uint8Array[]): Promise<void>;
  /** fdatasync: everything appended before the call is durable when it resolves */
  sync(): Promise<void>;
  close(): Promise<void>;
}
export interface ReadFile {
  read(at: number, length: number): Promise<Uint8Array>;
  size(): Promise<number>;
  close(): Promise<void>;
}
