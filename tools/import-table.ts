/**
 * Who may import whom, as data: DESIGN section 3. `tools/check-imports.ts` enforces it, ARCHITECTURE.md prints it.
 * Only our own packages are bound; third-party libraries are free except where `libraries` names them.
 */
export interface PackageRule {
  /** our packages it may import, by folder under packages/ */
  readonly may: readonly string[];
  /** loaded with `await import()` only, so that a command that does not need them does not pay for them */
  readonly lazily?: readonly string[];
  /** when given, the only third-party libraries; "node:*" stands for Node's own modules */
  readonly libraries?: readonly string[];
  /** true: folders directly under src/ are stages that never import each other */
  readonly staged?: boolean;
  /** per stage: our packages that this stage alone may import */
  readonly stageOnly?: Readonly<Record<string, readonly string[]>>;
  /** files at the top of src/ that every stage may import; types only */
  readonly sharedTypes?: readonly string[];
  /** what of it is public beside the package itself, as its package.json exports it: for who must not load all of it */
  readonly entries?: readonly string[];
  /** file types it may use Node's modules in; absent = free */
  readonly noNode?: boolean;
}

export const importTable: Readonly<Record<string, PackageRule>> = {
  model: { may: [], libraries: ["typebox"], noNode: true },
  wire: { may: ["model"] },
  runtime: { may: ["model"] },
  "mapper-sdk": { may: ["model"] },
  "mapper-sdk/template": { may: ["mapper-sdk"] },
  "mappers/ble": { may: ["mapper-sdk", "model"] },
  "mappers/http": { may: ["mapper-sdk", "model"] },
  "mappers/modbus": { may: ["mapper-sdk", "model"] },
  "mappers/mqtt": { may: ["mapper-sdk", "model"] },
  "mappers/opcua": { may: ["mapper-sdk", "model"] },
  "mappers/s7": { may: ["mapper-sdk", "model"] },
  "mappers/virtual": { may: ["mapper-sdk", "model"] },
  "mapper-host": { may: ["model", "wire", "runtime", "mapper-sdk"] },
  rules: { may: ["model"], entries: ["values"], libraries: ["re2js"], noNode: true },
  edge: { may: ["model", "wire", "runtime", "rules"], staged: true, stageOnly: { rules: ["rules"] } },
  api: { may: ["model"] },
  cloud: {
    may: ["model", "wire", "runtime", "api", "rules"],
    staged: true,
    stageOnly: { services: ["api", "rules"], http: ["api"] },
    sharedTypes: ["state-schema.ts"],
  },
  console: { may: ["api", "model"] },
  cli: { may: ["api", "model", "mapper-sdk"], lazily: ["edge", "cloud", "testkit", "runtime"] },
  testkit: { may: ["model", "wire", "runtime", "mapper-sdk"] },
};

/** These may import anything and are imported by nothing. */
export const freeFolders = ["e2e", "bench", "tools", "examples"] as const;

/** May be imported by `up`, tests and the free folders only. */
export const testkitUsers = ["cli/src/commands/up.ts"] as const;
