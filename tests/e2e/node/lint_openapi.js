// What it is: reads an OpenAPI document on standard input and prints what Redocly's recommended rules find wrong with it, one
// a line; the exit code is 1 if there is anything.
"use strict";
const { createConfig, lintFromString } = require("@redocly/openapi-core");

// Two paths of RabbitMQ's may fit one request ("/connections/username/x" and "/connections/x/channels"): the first counts.
// What needs no login has nothing to refuse.
const rules = {
  "no-ambiguous-paths": "off",
  "operation-4xx-response": "off",
  "operation-operationId-unique": "error",
  "no-unused-components": "error",
};

async function main() {
  let source = "";
  for await (const piece of process.stdin) source += piece;
  const config = await createConfig({ extends: ["recommended"], rules });
  const problems = await lintFromString({ source, config, absoluteRef: "/openapi.json" });
  for (const problem of problems) {
    console.log(`${problem.severity} ${problem.ruleId}: ${problem.message} (${problem.location[0]?.pointer})`);
  }
  process.exitCode = problems.length > 0 ? 1 : 0;
}

main();
