import type { Call, Expr, Name, Star } from "../parse/ast.ts";

/** Every name that an expression mentions; `isWhole` when it has a `*`, which mentions all. */
export function namesIn(expr: Expr): { readonly names: readonly Name[]; readonly isWhole: boolean } {
  const names: Name[] = [];
  let isWhole = false;
  const visit = (one: Expr | Star | null): void => {
    if (one === null) return;
    switch (one.t) {
      case "literal":
        return;
      case "name":
        names.push(one);
        return;
      case "star":
        isWhole = true;
        return;
      default:
        for (const part of partsOf(one)) visit(part);
    }
  };
  visit(expr);
  return { names, isWhole };
}

function partsOf(expr: Exclude<Expr, { t: "literal" | "name" }>): readonly (Expr | Star | null)[] {
  switch (expr.t) {
    case "unary":
    case "isNull":
    case "member":
      return [expr.of];
    case "binary":
      return [expr.left, expr.right];
    case "logical":
      return expr.of;
    case "between":
      return [expr.of, expr.low, expr.high];
    case "in":
      return [expr.of, ...("list" in expr.among ? expr.among.list : [expr.among.array])];
    case "like":
      return [expr.of, expr.pattern];
    case "case":
      return [expr.of, ...expr.branches.flatMap(({ when, value }) => [when, value]), expr.otherwise];
    case "element":
      return [expr.of, expr.index];
    case "slice":
      return [expr.of, expr.from, expr.to];
    case "call":
      return ofCall(expr);
  }
}

function ofCall({ args, filter, over }: Call): readonly (Expr | Star | null)[] {
  const { partition = [], order = [], when = null } = over ?? {};
  return [...args, filter, ...partition, ...order.map((item) => item.expr), when];
}
