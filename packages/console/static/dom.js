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
export function noneRow(columns) {
  return make("tr", {}, make("td", { className: "quiet", colSpan: columns }, "none"));
}
