// Reads [{headers, body (base64), secrets, now}] and says of each its webhook-id, or why it is refused.
const { readFileSync } = require("node:fs");
const { SignatureError, verify } = require("./roomwire/signature");

async function one({ headers, body, secrets, now }) {
  const raw = Buffer.from(body, "base64");
  const bytes = raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.length);
  try {
    return await verify(new Headers(headers), bytes, secrets, now);
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    return { refused: error.message };
  }
}

Promise.all(JSON.parse(readFileSync(0, "utf8")).map(one)).then((said) => console.log(JSON.stringify(said)));
