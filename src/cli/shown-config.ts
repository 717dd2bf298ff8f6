/** A configuration as logs and documents tell it. */

/**
 * The filter's text begins the payloads, and those are nobody else's business: of it the length is
 * told.
 */
export function hideFilter<C extends object>(config: C): C {
  const { filter } = config as { filter?: unknown };
  if (typeof filter !== "string" || filter === "") return config;
  return { ...config, filter: `${new TextEncoder().encode(filter).byteLength} bytes` };
}
