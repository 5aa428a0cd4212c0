/** Keeps rows in Supabase, by the function that supabase/roomwire.sql makes: one message is one transaction. */

import type { Store } from "./receive";
import type { Rows } from "./rows";

/** Seconds within which Supabase has to answer: Roomwire waits for fifteen. */
const PATIENCE = 10;

/**
 * @param url the project's address, `https://….supabase.co`
 * @param key its service role's key, which never leaves the server
 */
export function supabase(url: string, key: string): Store {
  const address = `${url}/rest/v1/rpc/roomwire_keep`;
  const headers = { apikey: key, authorization: `Bearer ${key}`, "content-type": "application/json" };
  return {
    async keep(webhookId: string, said: Rows): Promise<void> {
      const response = await fetch(address, {
        method: "POST",
        headers,
        body: JSON.stringify({ webhook_id: webhookId, ...said }),
        cache: "no-store",
        signal: AbortSignal.timeout(PATIENCE * 1000),
      });
      if (!response.ok) throw new Error(`Supabase answered ${response.status}: ${await response.text()}`);
    },
  };
}
