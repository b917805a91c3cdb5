/**
 * What was subscribed to, found by the topic of a message without looking at each.
 *
 * @source MQTT 5.0, 4.7: + is one level, # all below and the level above it, neither begins a match with a topic of the
 * broker's own ("$SYS/…")
 */
export class TopicTree<T> {
  readonly #root: Level<T> = newLevel();

  add(filter: string, value: T): void {
    let level = this.#root;
    for (const name of filter.split("/")) {
      let next = level.below.get(name);
      if (next === undefined) {
        next = newLevel();
        level.below.set(name, next);
      }
      level = next;
    }
    level.values.add(value);
  }

  remove(filter: string, value: T): void {
    const way: { readonly level: Level<T>; readonly name: string }[] = [];
    let level = this.#root;
    for (const name of filter.split("/")) {
      way.push({ level, name });
      const next = level.below.get(name);
      if (next === undefined) return;
      level = next;
    }
    level.values.delete(value);
    for (const { level: above, name } of way.reverse()) {
      const below = above.below.get(name)!;
      if (below.values.size > 0 || below.below.size > 0) return;
      above.below.delete(name);
    }
  }

  /** each whose filter matches, once a filter */
  match(topic: string): T[] {
    const found: T[] = [];
    const names = topic.split("/");
    const visit = (level: Level<T>, at: number) => {
      const isOwn = at === 0 && topic.startsWith("$");
      if (!isOwn) for (const value of level.below.get("#")?.values ?? []) found.push(value);
      const name = names[at];
      if (name === undefined) {
        found.push(...level.values);
        return;
      }
      const [exact, one] = [level.below.get(name), isOwn ? undefined : level.below.get("+")];
      if (exact !== undefined) visit(exact, at + 1);
      if (one !== undefined) visit(one, at + 1);
    };
    visit(this.#root, 0);
    return found;
  }
}

interface Level<T> {
  readonly values: Set<T>;
  readonly below: Map<string, Level<T>>;
}

function newLevel<T>(): Level<T> {
  return { values: new Set(), below: new Map() };
}
