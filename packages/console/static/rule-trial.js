import { call, tenantPath } from "./api.js";
import { badge, byId, cell, make, refill } from "./dom.js";
import { momentText } from "./values.js";

const stepsShown = 200;
const passedBadges = { true: ["good", "yes"], false: ["quiet", "no"] };

/** Runs what stands in the form on rows, and shows each step. @param specOf  what is tried; throws where it cannot be read */
export function createTrial(specOf) {
  let tenant = null;
  byId("trial-form").addEventListener("submit", (event) => {
    event.preventDefault();
    run(() => ({ rows: rowsIn(byId("trial-rows").value) }));
  });
  byId("trial-recorded").addEventListener("click", () => run(() => ({ recorded: { from: "-10m", to: "now" } })));

  async function run(inputOf) {
    say("Trying …", "quiet");
    try {
      const trial = await call("POST", `${tenantPath(tenant)}/rule-trials`, { spec: specOf(), ...inputOf() });
      const results = trial.steps.reduce((sum, { outputs }) => sum + outputs.length, 0);
      const more = trial.steps.length > stepsShown ? `, the first ${stepsShown} steps are shown` : "";
      const given = `${trial.rowsIn} ${trial.rowsIn === 1 ? "row" : "rows"} in, ${results} ${results === 1 ? "result" : "results"}`;
      say(`${given}, as at ${trial.node}${more}`, "");
      refill(byId("trial-steps"), trial.steps.slice(0, stepsShown).map(stepRow));
      byId("trial").hidden = false;
    } catch (error) {
      const [first] = error.fields ?? [];
      say(first === undefined ? error.message : `${first.field} ${first.value}: ${first.rule}`, "bad");
      byId("trial").hidden = true;
    }
  }
  function say(text, className) {
    Object.assign(byId("trial-outcome"), { textContent: text, className });
  }
  return {
    clear(of) {
      tenant = of;
      say("", "");
      byId("trial").hidden = true;
    },
  };
}

/** `{"level": 1.5}`, or with time and stream: `{"time": "2026-01-01T00:00:00Z", "values": {"level": 1.5}}` */
function rowsIn(text) {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.map((line, i) => {
    try {
      const row = JSON.parse(line);
      return typeof row.values === "object" && row.values !== null ? row : { values: row };
    } catch {
      throw new Error(`Line ${i + 1} must be a JSON object such as {"level": 1.5}`);
    }
  });
}

function stepRow({ time, stream, row, passed, outputs, errors, closesAt }) {
  const given = outputs.flatMap(({ rows }) => rows.map((one) => make("p", {}, make("code", {}, JSON.stringify(one)))));
  const wrong = errors.map((text) => make("p", { className: "bad" }, text));
  return make(
    "tr",
    {},
    cell("Time", momentText(time)),
    cell("Stream", stream ?? "(time)"),
    cell("Row", row === null ? "–" : make("code", {}, JSON.stringify(row))),
    cell("Passed", passed === null ? "–" : badge(...passedBadges[passed])),
    cell("Gives", ...(given.length + wrong.length === 0 ? ["–"] : [...given, ...wrong])),
    cell("Window closes", closesAt === null ? "–" : momentText(closesAt)),
  );
}
