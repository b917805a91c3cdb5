import { call, propertyPath } from "./api.js";
import { asNumber } from "./values.js";

const spansMs = { "5m": 300_000, "1h": 3_600_000, "8h": 28_800_000, "1d": 86_400_000 };
const box = { left: 70, right: 890, top: 10, bottom: 230 };
const pointsMost = 5000;

/** A line over time: stored readings, then live ones as they come. */
export function createTrend(svg, title) {
  let shown = null;
  let points = [];
  let asked = 0;
  /** The server's clock minus this browser's, which may be set wrong by hours. */
  let skewMs = 0;

  async function load(tenant, device, property, type, span) {
    shown = { tenant, device, property, type, span };
    points = [];
    title.textContent = `Trend of ${device} · ${property}`;
    draw();
    asked += 1;
    const mine = asked;
    const aggregate = type === "bool" ? "last" : "mean";
    const query = asNumber(type, 1) === null ? null : `from=-${span}&to=now&points=600&aggregate=${aggregate}`;
    if (query === null) return;
    const answer = await call("GET", `${propertyPath(tenant, device, property)}/series?${query}`);
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
    if (shown === null) return;
    const to = Math.max(Date.now() + skewMs, points.at(-1)?.at ?? 0);
    const from = to - spansMs[shown.span];
    const inside = points.filter((point) => point.at >= from);
    const values = inside.map((point) => point.value).filter((value) => value !== null);
    if (values.length === 0) {
      text(450, 120, "No values in this span", "middle");
      return;
    }
    let low = values.reduce((a, b) => Math.min(a, b));
    let high = values.reduce((a, b) => Math.max(a, b));
    if (low === high) {
      low -= 1;
      high += 1;
    }
    const x = (at) => box.left + ((at - from) / (to - from)) * (box.right - box.left);
    const y = (value) => box.bottom - ((value - low) / (high - low)) * (box.bottom - box.top);
    for (const part of [0, 0.5, 1]) {
      const value = low + part * (high - low);
      element("line", { x1: box.left, x2: box.right, y1: y(value), y2: y(value) });
      text(box.left - 6, y(value) + 4, Number(value.toPrecision(4)).toString(), "end");
    }
    for (const part of [0, 0.5, 1]) {
      const at = from + part * (to - from);
      const anchor = part === 0 ? "start" : part === 1 ? "end" : "middle";
      text(x(at), box.bottom + 20, new Date(at).toLocaleTimeString(), anchor);
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
