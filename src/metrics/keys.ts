/** Keys of figures, as the original wrote them: they are what dashboards group by. */

const BETWEEN_NAMES = "::~::";
const BETWEEN_HOPS = "<~>";

/** Key of one hop: `SENDER::~::RECEIVER`. */
export function hopKey(from: string, to: string): string {
  return `${from}${BETWEEN_NAMES}${to}`;
}

/** Key of a path: the keys of its hops, joined by `<~>`; of a single hop, that hop's key. */
export function pathKey(hopKeys: readonly string[]): string {
  return hopKeys.join(BETWEEN_HOPS);
}

/** Route of a path: `ORIGIN>RECEIVER`, or the one label where both are equal. */
export function pathRoute(origin: string, receiver: string): string {
  return origin === receiver ? origin : `${origin}>${receiver}`;
}

/** Key, names and route of what there is no room for keys of their own. */
export const OTHER = "other";

/** The names along a key's path: of a hop two, of a path one more than hops. */
export function keyNodes(key: string): string[] {
  if (key === OTHER) return [OTHER, OTHER];
  const hops = key.split(BETWEEN_HOPS).map((hop) => hop.split(BETWEEN_NAMES));
  return [hops[0]![0]!, ...hops.map(([, to]) => to!)];
}

/** The key of the path along these names. */
export function keyOfNodes(nodes: readonly string[]): string {
  return pathKey(nodes.slice(1).map((to, i) => hopKey(nodes[i]!, to)));
}
