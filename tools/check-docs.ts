import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, resolve } from "node:path";
import { repositoryFiles, root } from "./repository.ts";

/** Folders that exist only on the machine that wrote them. */
const machinePath = /(?<![\w.~$}-])\/(home|root|work|Users|tmp|mnt|private)\/[\w./-]+/g;
const link = /\[[^\]]*\]\(<?([^)>\s]+)>?(?:\s+"[^"]*")?\)|(?:src|srcset|href)="([^"]+)"/g;
const span = /`+([^`]+)`+/g;
/** A word that may be a path: it ends before punctuation of the sentence. */
const word = /(?<![\w/.:$}<-])\.?[\w@-][\w@.-]*(?:\/[\w@.*<>-]+)*\/?/g;

/** Every path that people are sent to exists, and none leads to somebody's machine. @returns one line per problem */
export function docsProblems(): string[] {
  const repository = new Set(repositoryFiles());
  const pages = [...repository].filter(
    (path) => path.endsWith(".md") && (!path.includes("/") || path.startsWith("docs/")),
  );
  const isThere = (path: string) => repository.has(path) || (path !== "" && existsSync(resolve(root, path)));
  return pages.flatMap((page) => pageProblems(page, readFileSync(resolve(root, page), "utf8"), isThere, tops()));
}

/** What a path in the repository may begin with: an entry of the root, or a package's folder. */
function tops(): Set<string> {
  const packages = readdirSync(resolve(root, "packages"));
  return new Set([...repositoryFiles().map((path) => path.split("/")[0]!), ...packages]);
}

/**
 * @param isThere whether a path from the root exists
 * @param known first parts of paths in the repository; words that begin with others are not paths of ours
 */
export function pageProblems(
  page: string,
  text: string,
  isThere: (path: string) => boolean,
  known: ReadonlySet<string>,
): string[] {
  const folder = dirname(page);
  const problems = [...text.matchAll(machinePath)].map(([path]) => `${page}: "${path}" is a path of one machine`);
  const prose = text.replaceAll(/^```.*?^```$/gms, "");
  for (const [, target, source] of prose.matchAll(link)) {
    const path = (target ?? source!).split("#")[0]!;
    if (path === "" || /^[a-z]+:/.test(path)) continue;
    if (!isThere(normalize(join(folder, path)))) problems.push(`${page}: link to "${path}", which does not exist`);
  }
  const code = [...prose.matchAll(span), ...text.matchAll(/^```[^\n]*\n(.*?)^```$/gms)].map(([, inside]) => inside!);
  for (const [found] of code.flatMap((inside) => [...inside.matchAll(word)])) {
    const path = found.replace(/[.,:]+$/, "").replace(/\/$/, "");
    if (!isOurs(path, known)) continue;
    // A pattern or a placeholder stands for many: what stands before it must exist.
    const fixed = path.replace(/\/?[^/]*[*<].*$/, "");
    if (![fixed, `packages/${fixed}`, join(folder, fixed)].some(isThere))
      problems.push(`${page}: \`${found}\`, which does not exist`);
  }
  return problems;
}

function isOurs(path: string, known: ReadonlySet<string>): boolean {
  const [first, ...rest] = path.split("/");
  if (rest.length === 0) return /\.(md|svg|png)$/.test(path);
  return (
    known.has(first!) &&
    (/\.\w+$/.test(path) || rest.includes("src") || /^(docs|tools|examples|e2e|bench)$/.test(first!))
  );
}

if (import.meta.main) {
  const problems = docsProblems();
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
}
