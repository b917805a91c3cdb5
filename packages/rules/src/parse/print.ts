import type { Call, Expr, Over, Star } from "./ast.ts";

/** An expression as SQL again, with parentheses around every operator: what was read, without doubt about what binds. */
export function printExpr(expr: Expr | Star): string {
  const inner = (one: Expr) => printExpr(one);
  switch (expr.t) {
    case "literal":
      return typeof expr.value === "string" ? quoteText(expr.value) : literalText(expr.value);
    case "name":
      return `${expr.source === null ? "" : `${quoteName(expr.source)}.`}${quoteName(expr.name)}`;
    case "star":
      return "*";
    case "unary":
      return expr.op === "-" ? `(- ${inner(expr.of)})` : `(NOT ${inner(expr.of)})`;
    case "binary":
      return `(${inner(expr.left)} ${expr.op} ${inner(expr.right)})`;
    case "logical":
      return `(${expr.of.map(inner).join(` ${expr.op.toUpperCase()} `)})`;
    case "between":
      return `(${inner(expr.of)}${not(expr)} BETWEEN ${inner(expr.low)} AND ${inner(expr.high)})`;
    case "in":
      return `(${inner(expr.of)}${not(expr)} IN ${"list" in expr.among ? `(${expr.among.list.map(inner).join(", ")})` : inner(expr.among.array)})`;
    case "like":
      return `(${inner(expr.of)}${not(expr)} LIKE ${inner(expr.pattern)})`;
    case "isNull":
      return `(${inner(expr.of)} IS${not(expr)} NULL)`;
    case "case": {
      const branches = expr.branches.map(({ when, value }) => ` WHEN ${inner(when)} THEN ${inner(value)}`).join("");
      const otherwise = expr.otherwise === null ? "" : ` ELSE ${inner(expr.otherwise)}`;
      return `CASE${expr.of === null ? "" : ` ${inner(expr.of)}`}${branches}${otherwise} END`;
    }
    case "call":
      return printCall(expr);
    case "member":
      return `${inner(expr.of)}->${quoteName(expr.name)}`;
    case "element":
      return `${inner(expr.of)}[${inner(expr.index)}]`;
    case "slice":
      return `${inner(expr.of)}[${expr.from === null ? "" : inner(expr.from)}:${expr.to === null ? "" : inner(expr.to)}]`;
  }
}

function not({ isNot }: { readonly isNot: boolean }): string {
  return isNot ? " NOT" : "";
}

function printCall({ name, args, filter, over }: Call): string {
  const where = filter === null ? "" : ` FILTER (WHERE ${printExpr(filter)})`;
  return `${name}(${args.map(printExpr).join(", ")})${where}${over === null ? "" : printOver(over)}`;
}

function printOver({ partition, order, when }: Over): string {
  const parts = [
    partition.length === 0 ? "" : `PARTITION BY ${partition.map(printExpr).join(", ")}`,
    order.length === 0
      ? ""
      : `ORDER BY ${order.map(({ expr, isDescending }) => `${printExpr(expr)}${isDescending ? " DESC" : ""}`).join(", ")}`,
    when === null ? "" : `WHEN ${printExpr(when)}`,
  ];
  return ` OVER (${parts.filter((part) => part !== "").join(" ")})`;
}

function literalText(value: bigint | number | boolean | null): string {
  if (typeof value === "number") return Number.isInteger(value) ? value.toFixed(1) : String(value);
  return value === null ? "NULL" : String(value).toUpperCase();
}

function quoteText(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'").replaceAll("\n", "\\n")}'`;
}

function quoteName(name: string): string {
  return `\`${name}\``;
}
