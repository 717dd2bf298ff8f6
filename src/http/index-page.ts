/** The page of a program without a dashboard: what there is. */
import type { ServedProgram } from "./service.ts";

const ENDPOINTS: readonly [path: string, what: string][] = [
  ["/healthz", "answers as long as the program lives"],
  ["/readyz", "whether it measures"],
  ["/metrics", "for Prometheus, also as OpenMetrics"],
  ["/api/v1/mesh", "all keys, nodes and connections, as JSON"],
  ["/api/v1/summary", "the summary of the run so far"],
  ["/api/v1/events", "the mesh, live: server-sent events"],
];

export function indexPage({ tool, name }: Pick<ServedProgram, "tool" | "name">): string {
  const items = ENDPOINTS.map(([path, what]) => `<li><a href="${path}">${path}</a>: ${what}</li>`);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(name)} · ${tool}</title>
<h1>${escapeHtml(name)}</h1>
<p>${tool}. Series and percentiles of single keys: <code>/api/v1/series?keys=ID,…</code>,
<code>/api/v1/percentiles?keys=ID,…</code>.</p>
<ul>
${items.join("\n")}
</ul>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
