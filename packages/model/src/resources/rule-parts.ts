import Type from "typebox";

/** Pieces that settings of actions, sources and lookup tables of rules share. */

/** a text that may hold ${column} */
export const template = (maxLength: number, description?: string) =>
  Type.String({ minLength: 1, maxLength, ...(description !== undefined && { description }) });
export const secret = Type.String({ maxLength: 1024, description: "kept sealed" });
export const url = (pattern: string) => Type.String({ pattern, maxLength: 2048 });
export const account = { user: Type.Optional(Type.String({ maxLength: 256 })), password: Type.Optional(secret) };
export const headers = Type.Record(Type.String({ pattern: "^[A-Za-z0-9-]{1,64}$" }), template(4096), {
  maxProperties: 32,
});
/** of a database; may name its schema: "plant.batch" */
export const tableName = Type.String({ pattern: "^[A-Za-z_][A-Za-z0-9_]{0,62}(\\.[A-Za-z_][A-Za-z0-9_]{0,62})?$" });
export const strict = { additionalProperties: false } as const;
