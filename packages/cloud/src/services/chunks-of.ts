/** SQLite takes 32,766 values in one statement; no table of ours has more than 20 columns. */
const rowsPerStatement = 1000;

export function chunksOf<T>(items: readonly T[], size = rowsPerStatement): T[][] {
  const chunks: T[][] = [];
  for (let i = 0; i < items.length; i += size) chunks.push(items.slice(i, i + size));
  return chunks;
}
