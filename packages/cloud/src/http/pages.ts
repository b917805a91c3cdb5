import type { Files } from "@penstock/runtime";

export interface Page {
  readonly type: string;
  readonly body: Buffer;
}
const types: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
};

/** The console's files, read once at the start: nothing of an address ever becomes a path on disk. */
export async function loadPages(files: Files, folder: string): Promise<Map<string, Page>> {
  const pages = new Map<string, Page>();
  for (const name of await files.list(folder)) {
    const type = types[name.slice(name.lastIndexOf(".") + 1)];
    if (type === undefined) continue;
    const page = { type, body: Buffer.from(await files.readAll(`${folder}/${name}`)) };
    pages.set(name === "index.html" ? "/" : `/${name}`, page);
  }
  return pages;
}
