import { test } from "node:test";
import assert from "node:assert/strict";
import { isIP } from "node:net";
import fc from "fast-check";
import { host, ipAddress, ipVersion, listeningPort, port, routes } from "./addresses.ts";

function written(text: string): string[] {
  const parsed = routes.parse(text);
  assert.ok("value" in parsed, "problem" in parsed ? parsed.problem : "");
  return parsed.value.map((route) => `${route.label}|${route.host}|${route.port}`);
}

test("a route is a host, with a label and a port of its own where they are given", () => {
  assert.deepEqual(written("localhost"), ["localhost|localhost|undefined"]);
  assert.deepEqual(written("b:9000"), ["b:9000|b|9000"]);
  assert.deepEqual(written("direct=a,accelerated=b:9000,[::1]:8080"), [
    "direct|a|undefined",
    "accelerated|b|9000",
    "[::1]:8080|::1|8080",
  ]);
  assert.deepEqual(written(" a = 10.0.0.1 , b_c=x_y.internal:1 "), [
    "a|10.0.0.1|undefined",
    "b_c|x_y.internal|1",
  ]);
});

test("an IPv6 address needs brackets only where its end could be a port", () => {
  assert.deepEqual(written("::1"), ["::1|::1|undefined"]);
  assert.deepEqual(written("v6=2001:db8::a:beef"), ["v6|2001:db8::a:beef|undefined"]);
  assert.deepEqual(written("1:2:3:4:5:6:7:8"), ["1:2:3:4:5:6:7:8|1:2:3:4:5:6:7:8|undefined"]);
  assert.deepEqual(written("[fe80::1%eth0]:80"), ["[fe80::1%eth0]:80|fe80::1%eth0|80"]);
});

test("a wrong route says what is wrong, and where", () => {
  for (
    const [text, says] of [
      ["", /"": the host is empty/],
      ["a,,b", /"": the host is empty/],
      ["direct=", /"direct=": the host is empty/],
      [":8080", /":8080": the host is empty/],
      ["=a", /label "" is empty/],
      ["a:0", /port of "a:0": "0" is not a whole number from 1 to 65535/],
      ["x=a:65536", /port of "x=a:65536": "65536"/],
      ["a:abc", /port of "a:abc": "abc"/],
      ["a:", /port of "a:": ""/],
      ["[::1]:0", /port of "\[::1\]:0"/],
      ["[::1", /\[ADDRESS\]:PORT/],
      ["[a]:80", /"a" is not an IPv6 address/],
      ["[::1]80", /is not|ADDRESS/],
      ["a:b:c", /not HOST:PORT.*\[ADDRESS\]:PORT/],
      ["2001:db8::1:8080", /ambiguous: write \[2001:db8::1:8080\] or \[2001:db8::1\]:8080/],
      ["http://a:80", /without a scheme/],
      ["a b", /"a b" is not a host name/],
      ["a\nb", /"a\\u000ab" is not a host name/],
      ["a/b", /not a host name/],
      ["a,a", /"a" stands there twice.*direct=a/],
      ["x=a,x=b", /"x" stands there twice/],
      ["a>b=c", /label "a>b" must not contain ">"/],
      [`${"l".repeat(65)}=a`, /at most 64/],
      ["a=b=c", /"b=c" is not a host name/],
    ] as const
  ) {
    const parsed = routes.parse(text);
    assert.ok("problem" in parsed, `${text} was taken`);
    assert.match(parsed.problem, says);
  }
});

test("a long address needs no label of its own", () => {
  const balancer = `${"a".repeat(60)}.elb.eu-central-1.amazonaws.com`;
  assert.deepEqual(written(balancer), [`${balancer}|${balancer}|undefined`]);
});

test("one listens on port 0, but does not connect to it", () => {
  assert.deepEqual(listeningPort.parse("0"), { value: 0 });
  assert.ok("problem" in port.parse("0"));
  assert.ok("problem" in listeningPort.parse("65536"));
});

test("addresses to bind to are literal, hosts to listen on may be names, brackets are dropped", () => {
  assert.deepEqual(ipAddress.parse("[::1]"), { value: "::1" });
  assert.deepEqual(ipAddress.parse("10.0.0.1"), { value: "10.0.0.1" });
  assert.ok("problem" in ipAddress.parse("localhost"));
  assert.deepEqual(host.parse("localhost"), { value: "localhost" });
  assert.deepEqual(host.parse("[::]"), { value: "::" });
  assert.ok("problem" in host.parse("a:80"));
});

test("the IP version agrees with the system's own parser", () => {
  const group = fc.stringMatching(/^[0-9a-f]{0,5}$/);
  const v6 = fc.array(group, { minLength: 1, maxLength: 9 }).map((groups) => groups.join(":"));
  const v4 = fc.array(fc.nat(300), { minLength: 3, maxLength: 5 }).map((parts) => parts.join("."));
  fc.assert(fc.property(fc.oneof(v6, v4, fc.ipV4(), fc.ipV6()), (text) => {
    assert.equal(ipVersion(text), isIP(text), text);
  }));
});

test("no text makes the list of routes throw", () => {
  const part = fc.constantFrom(
    "a",
    "=",
    ":",
    ",",
    "[",
    "]",
    "::1",
    "8080",
    "%",
    ">",
    " ",
    "\n",
    "é",
  );
  fc.assert(fc.property(fc.array(part).map((parts) => parts.join("")), (text) => {
    const parsed = routes.parse(text);
    if ("problem" in parsed) assert.doesNotMatch(parsed.problem, /\n/);
    else assert.ok(parsed.value.every((route) => route.host !== "" && route.label !== ""));
  }));
});
