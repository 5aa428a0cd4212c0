/** POST /api/roomwire: where Roomwire's webhooks arrive. */

import { receive } from "../../../roomwire/receive";
import { supabase } from "../../../roomwire/supabase";

export const dynamic = "force-dynamic";

export async function POST(request: Request): Promise<Response> {
  // Both secrets, with a space between, while one is being replaced.
  const secrets = needed("ROOMWIRE_SECRET").trim().split(/\s+/);
  return receive(request, secrets, supabase(needed("SUPABASE_URL"), needed("SUPABASE_SERVICE_ROLE_KEY")));
}

function needed(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`set ${name}`);
  return value;
}
