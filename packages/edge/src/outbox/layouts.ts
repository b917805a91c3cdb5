import type { Layout } from "@penstock/model";
import { decodeLayout, encodeLayout } from "@penstock/wire";

/** Numbers layouts within the epoch: the same device and properties get the same number, another shape gets a new one. */
export interface LayoutNumbers {
  readonly byId: ReadonlyMap<number, Layout>;
  /** above every number given so far */
  readonly next: number;
  /** @throws AppError when the layout could not be read back from the disk */
  numbered(layout: Layout): Layout;
}

function shapeOf(layout: Layout): string {
  return JSON.stringify([layout.device, layout.properties.map((property) => [property.name, property.type])]);
}

export function layoutNumbers(recovered: { layouts: ReadonlyMap<number, Layout>; nextLayout: number }): LayoutNumbers {
  const byId = new Map(recovered.layouts);
  const byShape = new Map([...byId.values()].map((layout) => [shapeOf(layout), layout]));
  // Collect hands in the same object cycle after cycle; its shape is written out once.
  const known = new WeakMap<Layout, Layout>();
  let next = recovered.nextLayout;
  return {
    byId,
    get next() {
      return next;
    },
    numbered: (layout) => {
      const before = known.get(layout);
      if (before !== undefined) return before;
      const shape = shapeOf(layout);
      let numbered = byShape.get(shape);
      if (numbered === undefined) {
        numbered = { id: next, device: layout.device, properties: layout.properties };
        // Here, where only its own append fails, and not after the next start, where every segment with it would.
        decodeLayout(encodeLayout(numbered));
        next++;
        byShape.set(shape, numbered);
        byId.set(numbered.id, numbered);
      }
      known.set(layout, numbered);
      return numbered;
    },
  };
}
