import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** Where the programs and folders stand that this one starts: beside it in a bundle, in their packages in the workspace. */
const here = dirname(fileURLToPath(import.meta.url));
const isBundle = !import.meta.url.endsWith(".ts");

export const installedPaths = isBundle
  ? {
      cli: resolve(here, "main.js"),
      mapperHost: resolve(here, "mapper-host.js"),
      mapperDmi: resolve(here, "mapper-dmi.js"),
      mappers: resolve(here, "mappers"),
      kit: resolve(here, "mapper-sdk"),
      mapperTemplate: resolve(here, "mapper-template"),
      plant: resolve(here, "plant.js"),
      console: resolve(here, "console"),
    }
  : {
      cli: resolve(here, "main.ts"),
      mapperHost: resolve(here, "../../mapper-host/src/main.ts"),
      mapperDmi: resolve(here, "../../mapper-host/src/dmi/main.ts"),
      mappers: resolve(here, "../../mappers"),
      kit: resolve(here, "../../mapper-sdk"),
      mapperTemplate: resolve(here, "../../mapper-sdk/template"),
      plant: resolve(here, "../../testkit/src/plant/main.ts"),
      console: resolve(here, "../../console/static"),
    };
