/** An element by its id; the page has every id that the scripts name. */
export function byId(id) {
  return document.getElementById(id);
}

/** `make("td", { className: "number" }, "42")`; texts go in as text, never as markup. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("aria-") || name.startsWith("data-")) element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

/** What a table's body says when it has no rows. */
export function noneRow(columns, text = "none") {
  return make("tr", {}, make("td", { className: "quiet", colSpan: columns }, text));
}

/** A cell that a phone shows with its label before it, since there the table has no head. */
export function cell(label, ...children) {
  return make("td", { "data-label": label }, ...children);
}

/** A word for a state with a dot of its colour: the colour alone says nothing. */
export function badge(className, text) {
  return make("span", { className: `badge ${className}` }, text);
}

/** `online since 12:03:09`, and so on, in small print. */
export function quiet(...children) {
  return make("small", { className: "quiet" }, ...children);
}

/**
 * Puts elements in the place of those that are there. What looks the same stays the same element, and the keyboard stays at
 * its link where that one is drawn anew, so that a refresh disturbs nobody.
 */
export function refill(parent, children) {
  const focused = parent.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  children.forEach((child, i) => {
    const before = parent.children[i];
    if (before === undefined) parent.append(child);
    else if (!before.isEqualNode(child)) before.replaceWith(child);
  });
  while (parent.children.length > children.length) parent.lastElementChild.remove();
  if (focused === null || parent.contains(document.activeElement)) return;
  [...parent.querySelectorAll("a")].find((link) => link.getAttribute("href") === focused)?.focus();
}
