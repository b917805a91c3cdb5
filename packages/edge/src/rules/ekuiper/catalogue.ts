import { AppError, isObject, limits } from "@penstock/model";
import { type Files, makeDurableFolder, type SecretBox, writeFile } from "@penstock/runtime";

/** What was made at the gateway by eKuiper's REST shape: statements and rules, as they were written. */
export interface Catalogue {
  /** CREATE statements by name */
  readonly streams: Readonly<Record<string, string>>;
  readonly tables: Readonly<Record<string, string>>;
  /** JSON by id; `triggered` says whether it runs */
  readonly rules: Readonly<Record<string, string>>;
}
export const emptyCatalogue: Catalogue = { streams: {}, tables: {}, rules: {} };

/** The catalogue on the gateway's disk, sealed, since passwords stand in rules. */
export interface KeptCatalogue {
  current(): Catalogue;
  /** durable when it resolves; after a crash what was before is there, or all of this. @throws AppError input/too-large */
  replace(next: Catalogue): Promise<void>;
}

const [name, place] = ["catalogue", "ekuiper/catalogue"];

/**
 * Opening it seals it anew where an older key had.
 *
 * @throws AppError data/corrupt, data/key-missing
 */
export async function openCatalogue(options: {
  readonly files: Files;
  readonly folder: string;
  readonly secrets: SecretBox;
}): Promise<KeptCatalogue> {
  const { files, folder, secrets } = options;
  const path = `${folder}/${name}`;
  const write = async (catalogue: Catalogue) => {
    await makeDurableFolder(files, folder);
    const bytes = secrets.sealText(JSON.stringify(catalogue), place);
    await writeFile({ files, folder, name, bytes, isSecret: true });
  };
  let current = emptyCatalogue;
  if (await files.exists(path)) {
    const sealed = new TextDecoder().decode(await files.readAll(path));
    current = readCatalogue(secrets.openText(sealed, place));
    if (secrets.isOfOlderKey(sealed)) await write(current);
  }
  return {
    current: () => current,
    async replace(next) {
      checkSize(next);
      await write(next);
      current = next;
    },
  };
}

/** @throws AppError input/too-large */
function checkSize({ streams, tables, rules }: Catalogue): void {
  const sources = Object.keys(streams).length + Object.keys(tables).length;
  const said = (what: string, most: number) =>
    new AppError("input/too-large", `Cannot keep more than ${most} ${what} at this gateway`);
  if (sources > limits.localStreams) throw said("streams and tables", limits.localStreams);
  if (Object.keys(rules).length > limits.localRules) throw said("rules", limits.localRules);
  const texts = [streams, tables, rules].flatMap((one) => Object.values(one));
  const chars = texts.reduce((sum, { length }) => sum + length, 0);
  if (chars > limits.localCatalogueChars) throw said("characters of them", limits.localCatalogueChars);
}

function readCatalogue(text: string): Catalogue {
  const read: unknown = JSON.parse(text);
  const isTexts = (value: unknown): value is Record<string, string> =>
    isObject(value) && Object.values(value).every((one) => typeof one === "string");
  if (isObject(read) && isTexts(read.streams) && isTexts(read.tables) && isTexts(read.rules)) {
    return { streams: read.streams, tables: read.tables, rules: read.rules };
  }
  throw new AppError(
    "data/corrupt",
    `Cannot read the rules that were made at this gateway: "${place}" is not what was written`,
  );
}
