/** Addresses as users write them: hosts, ports, and the client's list of routes. */

import { quote } from "./escape.ts";
import { labelProblem, type Parsed, type ValueType, wholeNumber } from "./values.ts";

/** A route as written: what the port is when none stands there, is decided later. */
export interface WrittenRoute {
  label: string;
  /** Host name or IP address, without brackets. */
  host: string;
  port: number | undefined;
  /** The address as written, without the label. */
  address: string;
}

/** Ports that one can connect to. */
export const port: ValueType<number> = wholeNumber({
  least: 1,
  most: 65_535,
  placeholder: "PORT",
});

/** Ports to listen on: 0 takes any free one. */
export const listeningPort: ValueType<number> = wholeNumber({
  least: 0,
  most: 65_535,
  placeholder: "PORT",
});

/** IP version of a literal address (a zone such as `%eth0` allowed), or 0. */
export function ipVersion(text: string): 0 | 4 | 6 {
  if (/^(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/.test(text)) return 4;
  const [address, zone] = text.split("%", 2);
  if (!address?.includes(":") || !/^[0-9a-fA-F:.]{2,45}$/.test(address)) return 0;
  if (zone !== undefined && !/^[\w.-]{1,32}$/.test(zone)) return 0;
  return URL.canParse(`http://[${address}]/`) ? 6 : 0;
}

/** An IP address of this machine. */
export const ipAddress: ValueType<string> = {
  placeholder: "ADDR",
  parse(text) {
    const bare = withoutBrackets(text);
    if (ipVersion(bare) !== 0) return { value: bare };
    return { problem: `${quote(text)} is not an IP address` };
  },
};

/** An IP address or a host name, without a port. */
export const host: ValueType<string> = {
  placeholder: "ADDR",
  parse(text) {
    const bare = withoutBrackets(text);
    if (isHost(bare)) return { value: bare };
    return { problem: `${quote(text)} is not a host name or an IP address` };
  },
};

/** `[LABEL=]HOST[:PORT][,…]`: one route or more. */
export const routes: ValueType<readonly WrittenRoute[]> = {
  placeholder: "[LABEL=]HOST[:PORT][,…]",
  parse(text) {
    const found: WrittenRoute[] = [];
    for (const entry of text.split(",")) {
      const parsed = parseRoute(entry.trim());
      if ("problem" in parsed) return parsed;
      const { label } = parsed.value;
      if (found.some((route) => route.label === label)) {
        return {
          problem: `${quote(label)} stands there twice: give each route a label of its own, ` +
            `such as direct=${parsed.value.address}`,
        };
      }
      found.push(parsed.value);
    }
    return { value: found };
  },
};

function parseRoute(entry: string): Parsed<WrittenRoute> {
  const equals = entry.indexOf("=");
  const address = entry.slice(equals + 1).trim();
  const parsed = parseAddress(address, entry);
  if ("problem" in parsed) return parsed;
  // An address that stands for its own label may be long: load balancers have such names.
  if (equals < 0) return { value: { label: address, address, ...parsed.value } };
  const label = entry.slice(0, equals).trim();
  const problem = labelProblem(label);
  if (problem !== undefined) return { problem: `label ${problem}` };
  return { value: { label, address, ...parsed.value } };
}

/** `entry` is what the address stands in, for the message. */
function parseAddress(
  address: string,
  entry: string,
): Parsed<{ host: string; port: number | undefined }> {
  const wrong = (what: string) => ({ problem: `${quote(entry)}: ${what}` });
  if (address === "") return wrong("the host is empty");
  if (address.includes("://")) return wrong("write HOST:PORT, without a scheme");

  const bracketed = /^\[([^\]]*)\](?::(.*))?$/s.exec(address);
  if (bracketed !== null) {
    const inside = bracketed[1] ?? "";
    if (ipVersion(inside) !== 6) return wrong(`${quote(inside)} is not an IPv6 address`);
    return withPort(inside, bracketed[2], entry);
  }

  const colon = address.lastIndexOf(":");
  if (address.indexOf(":") !== colon) {
    if (ipVersion(address) !== 6) {
      return wrong("is not HOST:PORT; an IPv6 address with a port is written [ADDRESS]:PORT");
    }
    const [before, after] = [address.slice(0, colon), address.slice(colon + 1)];
    if (ipVersion(before) === 6 && "value" in port.parse(after)) {
      return wrong(`is ambiguous: write [${address}] or [${before}]:${after}`);
    }
    return { value: { host: address, port: undefined } };
  }

  const hostPart = colon < 0 ? address : address.slice(0, colon);
  if (hostPart === "") return wrong("the host is empty");
  if (!isHost(hostPart)) return wrong(`${quote(hostPart)} is not a host name or an IP address`);
  return withPort(hostPart, colon < 0 ? undefined : address.slice(colon + 1), entry);
}

function withPort(
  hostPart: string,
  portText: string | undefined,
  entry: string,
): Parsed<{ host: string; port: number | undefined }> {
  if (portText === undefined) return { value: { host: hostPart, port: undefined } };
  const parsed = port.parse(portText);
  if ("problem" in parsed) return { problem: `port of ${quote(entry)}: ${parsed.problem}` };
  return { value: { host: hostPart, port: parsed.value } };
}

function isHost(text: string): boolean {
  if (ipVersion(text) !== 0) return true;
  if (text.length > 253) return false;
  // With the underscore that containers use. Most hosts end here: the other expression takes 3 ms
  // to be compiled, at each start.
  if (/^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(text)) return true;
  // Letters of any script: DNS turns them into ASCII.
  return /^[\p{L}\p{N}_][\p{L}\p{N}\p{M}._-]*$/u.test(text);
}

function withoutBrackets(text: string): string {
  return text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text;
}
