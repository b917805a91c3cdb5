import { createHash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { addRange, type BootId, type LayoutProperty, type Ranges, type Source } from "@penstock/model";
import { type Group, type GroupDone, metaFields, type OpenRequest } from "./protocol.ts";
import { transaction } from "./transaction.ts";

/** The writer's statements for sessions, layouts and batches. Hot ids only grow, above every mark. */
export function createGroupWriter(db: DatabaseSync) {
  const newest = db.prepare(
    "SELECT coalesce(max(generation), 0) AS generation FROM source WHERE tenant = ? AND node = ?",
  );
  const enter = db.prepare(
    `INSERT INTO source (tenant, node, epoch, generation, session_boot, boot, ranges) VALUES (?, ?, ?, ?, ?, NULL, '[]')
     ON CONFLICT (tenant, node, epoch) DO UPDATE SET session_boot = excluded.session_boot
     RETURNING id, boot, ranges`,
  );
  // Every epoch of the node: a session that began under the epoch before must not commit either.
  const fence = db.prepare("UPDATE source SET generation = ? WHERE tenant = ? AND node = ?");
  const epochs = db.prepare("SELECT ranges FROM source WHERE tenant = ? AND node = ?");
  const advance = db.prepare("UPDATE source SET ranges = ?, boot = session_boot WHERE id = ? AND generation = ?");
  const insert = db.prepare(
    "INSERT INTO hot (id, layout, source, first_seq, count, t_min, t_max, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const findLayout = db.prepare("SELECT id FROM layout WHERE tenant = ? AND device = ? AND hash = ?");
  const addLayout = db.prepare("INSERT INTO layout (tenant, device, hash, properties) VALUES (?, ?, ?, ?)");
  // The rows below a mark may be swept, and a batch that got such an id would be hidden: lost.
  const firstFree = db.prepare("SELECT max(sealed_hot, (SELECT coalesce(max(id), 0) FROM hot)) + 1 AS id FROM totals");
  let nextId = Number(firstFree.get()!.id);

  function open(who: OpenRequest): Source {
    const generation = Number(newest.get(who.tenant, who.node)!.generation) + 1;
    const row = enter.get(who.tenant, who.node, who.epoch, generation, who.boot)!;
    fence.run(generation, who.tenant, who.node);
    return {
      id: Number(row.id),
      tenant: who.tenant,
      node: who.node,
      epoch: who.epoch,
      generation,
      ranges: JSON.parse(String(row.ranges)) as Ranges,
      nodeRanges: epochs
        .all(who.tenant, who.node)
        .flatMap((epoch) => JSON.parse(String(epoch.ranges)) as Ranges)
        .reduce<Ranges>((joined, [from, to]) => addRange(joined, from, to), []),
      lastBoot: row.boot as BootId | null,
    };
  }

  function write(group: Group): GroupDone {
    const sources = group.opens.map(open);
    const fenced: number[] = [];
    const { meta, bodies } = group;
    let at = 0;
    let batch = 0;
    group.commits.forEach((commit, c) => {
      const { changes } = advance.run(JSON.stringify(commit.ranges), commit.source, commit.generation);
      for (let k = 0; k < commit.batches; k++, batch++) {
        const m = batch * metaFields;
        const length = meta[m + 5]!;
        if (changes === 1) {
          const body = bodies.subarray(at, at + length);
          insert.run(nextId++, meta[m]!, commit.source, meta[m + 1]!, meta[m + 2]!, meta[m + 3]!, meta[m + 4]!, body);
        }
        at += length;
      }
      if (changes !== 1) fenced.push(c);
    });
    return { sources, fenced, firstId: 0 };
  }

  return {
    /** Promise: all or nothing, synced when it returns; a fenced commit takes no part and harms no other. */
    group(group: Group): GroupDone {
      const firstId = nextId;
      return { ...transaction(db, "synced", () => write(group)), firstId };
    },
    /** Needs no sync of its own: the first commit that refers to it carries it to disk. */
    defineLayout(layout: {
      readonly tenant: string;
      readonly device: string;
      readonly properties: readonly LayoutProperty[];
    }) {
      const properties = JSON.stringify(layout.properties.map((p) => [p.name, p.type]));
      const hash = createHash("sha256").update(properties).digest().subarray(0, 16);
      const found = findLayout.get(layout.tenant, layout.device, hash);
      if (found !== undefined) return Number(found.id);
      return transaction(db, "ordered", () =>
        Number(addLayout.run(layout.tenant, layout.device, hash, properties).lastInsertRowid),
      );
    },
  };
}
