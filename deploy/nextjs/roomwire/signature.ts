/** Standard Webhooks: whether a request is Roomwire's, unchanged and fresh. */

/** Seconds that a request's time may differ from ours, in either direction. */
export const TOLERANCE = 300;

/** A request that must not be believed; the message says why, and shows no secret. */
export class SignatureError extends Error {}

/**
 * Verifies a request and returns its `webhook-id`.
 *
 * The signature is over the raw bytes of the body: JSON that was parsed and written again does not match. Several
 * signatures may come in one header, and several secrets may be valid, while one of them is being replaced.
 *
 * @param headers the request's headers
 * @param body the raw bytes as they came
 * @param secrets `whsec_…` (HMAC-SHA256, signatures `v1`) and `whpk_…` (Ed25519 public keys, signatures `v1a`)
 * @param now seconds since 1970
 * @throws SignatureError if it is not Roomwire's, was changed, or is too old or from the future
 */
export async function verify(
  headers: Headers,
  body: ArrayBuffer,
  secrets: readonly string[],
  now: number = Date.now() / 1000,
): Promise<string> {
  const id = headers.get("webhook-id");
  const timestamp = headers.get("webhook-timestamp");
  const given = headers.get("webhook-signature");
  if (!id || !timestamp || !given) throw new SignatureError("a webhook header is missing");
  if (!/^\d{1,15}$/.test(timestamp)) throw new SignatureError("webhook-timestamp is not a number of seconds");
  if (Math.abs(now - Number(timestamp)) > TOLERANCE) {
    throw new SignatureError("webhook-timestamp is too far from now");
  }
  const signed = concatenated(new TextEncoder().encode(`${id}.${timestamp}.`), new Uint8Array(body));
  for (const secret of secrets) {
    const key = await imported(secret);
    for (const signature of given.split(" ")) {
      const [version, text] = divided(signature, ",");
      const bytes = version === key.version ? decoded(text) : null;
      if (bytes && (await crypto.subtle.verify(key.algorithm, key.key, bytes, signed))) return id;
    }
  }
  throw new SignatureError("no signature matches");
}

interface Key {
  version: "v1" | "v1a";
  algorithm: string;
  key: CryptoKey;
}

async function imported(secret: string): Promise<Key> {
  const [prefix, text] = divided(secret, "_");
  const bytes = decoded(text);
  if (!bytes || (prefix !== "whsec" && prefix !== "whpk")) {
    throw new Error("a secret is 'whsec_' or 'whpk_' and base64");
  }
  if (prefix === "whpk") {
    return { version: "v1a", algorithm: "Ed25519", key: await verifying(bytes, "Ed25519") };
  }
  return { version: "v1", algorithm: "HMAC", key: await verifying(bytes, { name: "HMAC", hash: "SHA-256" }) };
}

function verifying(bytes: Uint8Array<ArrayBuffer>, algorithm: string | HmacImportParams): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", bytes, algorithm, false, ["verify"]);
}

/** The bytes that base64 stands for; null where it is none. */
function decoded(base64: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}

function divided(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function concatenated(head: Uint8Array, tail: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}
