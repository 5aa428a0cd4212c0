/** One webhook from request to answer, wherever its rows are kept. */

import { rows, type Message, type Rows } from "./rows";
import { SignatureError, verify } from "./signature";

/** Where rows are kept. */
export interface Store {
  /**
   * Keeps what a message says, all of it or nothing, where it is newer than what is held; a message whose id was kept
   * before may be skipped. Concurrent calls must not lose one another's rows.
   *
   * @throws if it is not kept; Roomwire sends it again
   */
  keep(webhookId: string, said: Rows): Promise<void>;
}

/**
 * Verifies a request, keeps what it says, and answers what Roomwire should make of it:
 *
 * - 204: it is kept.
 * - 401: it is not Roomwire's, or is signed with a secret that is not among `secrets`.
 * - 422: it has the right signature and cannot be read.
 * - 500: it could not be kept. Roomwire pauses, and comes again with what is newest then.
 */
export async function receive(request: Request, secrets: readonly string[], store: Store): Promise<Response> {
  const body = await request.arrayBuffer();
  let webhookId: string;
  try {
    webhookId = await verify(request.headers, body, secrets);
  } catch (error) {
    if (error instanceof SignatureError) return new Response(error.message, { status: 401 });
    throw error;
  }
  let said: Rows;
  try {
    said = rows(JSON.parse(new TextDecoder().decode(body)) as Message);
  } catch (error) {
    return new Response(`unusable: ${error}`, { status: 422 });
  }
  try {
    await store.keep(webhookId, said);
  } catch (error) {
    console.error("roomwire: not kept", webhookId, error);
    return new Response("not kept", { status: 500 });
  }
  return new Response(null, { status: 204 });
}
