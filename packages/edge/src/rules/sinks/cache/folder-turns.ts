import type { Files } from "@penstock/runtime";

/** by disk and folder: until when it is in use */
const users = new WeakMap<Files, Map<string, Promise<void>>>();

/**
 * Waits until nobody of this process uses the folder: a rule that changes begins anew while its actions of before still
 * write down what they could not deliver.
 *
 * @returns what ends the use
 */
export async function turnAt(files: Files, folder: string): Promise<() => void> {
  const byFolder = users.get(files) ?? new Map<string, Promise<void>>();
  users.set(files, byFolder);
  const before = byFolder.get(folder);
  let end = () => {};
  const used = new Promise<void>((resolve) => {
    end = resolve;
  });
  const all = Promise.all([before, used]).then(() => {
    if (byFolder.get(folder) === all) byFolder.delete(folder);
  });
  byFolder.set(folder, all);
  await before;
  return end;
}
