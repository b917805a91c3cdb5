import type { ServerResponse } from "node:http";
import type { RestRoute } from "./rest-routes.ts";

/** bytes that a listener may be behind; then its lines are left out */
const behind = 1024 * 1024;

/** Trial runs; eKuiper tells results by another port, here it is the same. */
export const trialRoutes: readonly RestRoute[] = [
  {
    ...{ methods: ["POST"], path: "/ruletest" },
    handle: ({ trials, port }, { body }) => ({ status: 200, json: { id: trials.create(body), port: port() } }),
  },
  {
    ...{ methods: ["POST"], path: "/ruletest/:id/start" },
    handle({ trials }, { params }) {
      trials.find(params.id!).start();
      return { status: 200, text: `Test rule ${params.id} was started` };
    },
  },
  {
    ...{ methods: ["DELETE"], path: "/ruletest/:id" },
    handle({ trials }, { params }) {
      trials.stop(params.id!);
      return { status: 200, text: `Test rule ${params.id} was stopped.` };
    },
  },
  {
    ...{ methods: ["GET"], path: "/test/:id" },
    handle({ trials }, { params }) {
      const trial = trials.find(params.id!);
      return {
        stream(response: ServerResponse) {
          response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
          response.flushHeaders();
          const end = trial.listen((line) => {
            if (line === null) response.end();
            else if (response.writableLength < behind) response.write(`data: ${line}\n\n`);
          });
          response.once("close", end);
        },
      };
    },
  },
];
