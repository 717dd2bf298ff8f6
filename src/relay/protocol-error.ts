/** A peer broke a rule of the wire format. The message names the rule; the session ends. */
export class ProtocolError extends Error {
  override name = "ProtocolError";
}
