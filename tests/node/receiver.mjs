// A receiver of webhooks in Node: an HTTPS server that verifies with the published library. It says
// its port, reads the webhook's secret from its input, and ends with what it was told.
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { createInterface } from "node:readline";
import { Webhook } from "standardwebhooks";

const { pem, count } = JSON.parse(process.argv[2]);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const text = readFileSync(pem);
const said = { told: [], refused: [] };
let verifier;

const server = createServer({ key: text, cert: text }, async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  const body = Buffer.concat(parts).toString();
  try {
    said.told.push(verifier.verify(body, request.headers));
  } catch (error) {
    said.refused.push(error.message);
  }
  for (const changed of [body.replace("client", "clients"), body + " "]) {
    try {
      verifier.verify(changed, request.headers);
      said.refused.push("a changed body was taken");
    } catch {}
  }
  response.writeHead(204).end(() => {
    if (said.told.length + said.refused.length < count) return;
    console.log(JSON.stringify(said));
    process.exit();
  });
});
server.listen(0, "127.0.0.1", async () => {
  console.log(server.address().port);
  verifier = new Webhook((await lines.next()).value);
  console.log("ready");
});
