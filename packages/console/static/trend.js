import { call, propertyPath } from "./api.js";
import { asNumber, bothNames, clockTime, withUnit } from "./values.js";

const spansMs = { "5m": 300_000, "1h": 3_600_000, "8h": 28_800_000, "1d": 86_400_000 };
/** However little there is to show: a few readings are not drawn as a wall. */
const shortestMs = 30_000;
const margins = { top: 10, right: 12, bottom: 28 };
const digitPx = 8;
const pointsMost = 5000;

/** A line over time: stored readings, then live ones as they come. */
export function createTrend(svg, title) {
  let shown = null;
  let points = [];
  let asked = 0;
  /** The server's clock minus this browser's, which may be set wrong by hours. */
  let skewMs = 0;
  // It is drawn in pixels of the screen, so that its labels are as large on a phone as elsewhere.
  new ResizeObserver(draw).observe(svg);

  /** @param of `{ device, property }`: the device's name, and a property of its twin */
  async function load(tenant, of, span) {
    const { device, property } = of;
    const { type } = property;
    shown = { tenant, device, property: property.property, isBool: type === "bool", span };
    points = [];
    const name = bothNames(property.displayName, property.property);
    title.textContent = withUnit(`Trend of ${name}${property.unit === null ? "" : ","}`, property.unit);
    draw();
    asked += 1;
    const mine = asked;
    const aggregate = type === "bool" ? "last" : "mean";
    const query = asNumber(type, 1) === null ? null : `from=-${span}&to=now&points=600&aggregate=${aggregate}`;
    if (query === null) return;
    const answer = await call("GET", `${propertyPath(tenant, device, property.property)}/series?${query}`);
    if (mine !== asked) return;
    skewMs = Date.parse(answer.to) - Date.now();
    const stored = answer.points.map((point) => ({
      at: Date.parse(point.time),
      value: asNumber(answer.type, point.value),
    }));
    const last = stored.at(-1)?.at ?? 0;
    points = [...stored, ...points.filter((point) => point.at > last)];
    draw();
  }
  function add(device, reading) {
    if (shown === null || shown.device !== device || shown.property !== reading.property) return;
    const at = Date.parse(reading.time);
    if (points.length > 0 && at <= points.at(-1).at) return;
    points.push({ at, value: asNumber(reading.type, reading.value) });
    if (points.length > pointsMost) points.splice(0, points.length - pointsMost);
    draw();
  }

  function draw() {
    svg.replaceChildren();
    const { clientWidth: width, clientHeight: height } = svg;
    if (shown === null || width === 0) return;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const to = Math.max(Date.now() + skewMs, points.at(-1)?.at ?? 0);
    const inside = points.filter((point) => point.at >= to - spansMs[shown.span]);
    const values = inside.map((point) => point.value).filter((value) => value !== null);
    if (values.length === 0) {
      text(width / 2, height / 2, "No values in this span", "middle");
      return;
    }
    // The axis begins with the first reading where the span holds less.
    const from = Math.min(inside[0].at, to - shortestMs);
    let low = values.reduce((a, b) => Math.min(a, b));
    let high = values.reduce((a, b) => Math.max(a, b));
    if (shown.isBool) {
      low = 0;
      high = 1;
    } else if (low === high) {
      low -= 1;
      high += 1;
    }
    const levels = [0, 0.5, 1].map((part) => low + part * (high - low));
    const labels = shown.isBool ? ["false", "", "true"] : levels.map((level) => level.toFixed(decimals(high - low)));
    const left = 12 + digitPx * Math.max(...labels.map((label) => label.length));
    const [right, bottom] = [width - margins.right, height - margins.bottom];
    const x = (at) => left + ((at - from) / (to - from)) * (right - left);
    const y = (value) => bottom - ((value - low) / (high - low)) * (bottom - margins.top);
    levels.forEach((level, i) => {
      element("line", { x1: left, x2: right, y1: y(level), y2: y(level) });
      text(left - 6, y(level) + 4, labels[i], "end");
    });
    for (const part of [0, 0.5, 1]) {
      const at = from + part * (to - from);
      const anchor = part === 0 ? "start" : part === 1 ? "end" : "middle";
      text(x(at), bottom + 20, clockTime(at), anchor);
    }
    // A missing value leaves a gap, it is not drawn over.
    let path = "";
    let isDown = false;
    for (const { at, value } of inside) {
      if (value === null) isDown = false;
      else {
        path += `${isDown ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
        isDown = true;
      }
    }
    element("path", { d: path });
  }
  /** So many that the three labels differ. */
  function decimals(range) {
    return Math.min(6, Math.max(0, Math.ceil(1 - Math.log10(range))));
  }
  function element(name, attributes) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
    svg.append(made);
    return made;
  }
  function text(x, y, content, anchor) {
    element("text", { x, y, "text-anchor": anchor }).textContent = content;
  }
  return { load, add, draw };
}
