// Stands in for Node's types, which a Next.js project has: leave this file behind.
declare const process: { env: Record<string, string | undefined> };
