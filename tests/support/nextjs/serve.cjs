// Serves the example's route on a free port, whose number is the first line printed, until standard input ends.
const { createServer } = require("node:http");
const { POST } = require("./app/api/roomwire/route");

async function handle(incoming, outgoing) {
  const parts = [];
  for await (const part of incoming) parts.push(part);
  const request = new Request(`http://localhost${incoming.url}`, {
    method: incoming.method,
    headers: incoming.headers,
    body: Buffer.concat(parts),
  });
  const response = await POST(request);
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.end(Buffer.from(await response.arrayBuffer()));
}

const server = createServer((incoming, outgoing) => {
  handle(incoming, outgoing).catch((error) => {
    console.error(error);
    outgoing.writeHead(500).end();
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
