#!/usr/bin/env bash
set -euo pipefail
# shellcheck source=scripts/project.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/project.sh"
help_on "${1:-}" \
  "Measures the programs and their peers side by side on this machine, in some minutes, and prints a table of ratios: all rows, or those whose name has FILTER. Peers that are missing are installed from Debian's packages where this runs as root; their rows say so otherwise. --quick: one short round. --json FILE: all figures as well. Exit code 1 where something could not be measured; a budget that is not met is told in the table." \
  "Usage: scripts/bench.sh [--rounds N] [--quick] [--json FILE] [FILTER]"

# Usage: install_peers; what cannot be installed is missing, and its rows say so.
install_peers() {
  local wanted=() program
  for program in faketime irtt mosquitto nats-server redis-server sockperf; do
    command -v "$program" >/dev/null || wanted+=("$program")
  done
  if [ "${#wanted[@]}" -eq 0 ] || [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    return
  fi
  echo "$self: installing ${wanted[*]}" >&2
  apt-get update -qq >&2 || true
  for program in "${wanted[@]}"; do
    # One by one: a package that this release lacks keeps no other away.
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$program" \
      >/dev/null 2>&1 || echo "$self: $program could not be installed" >&2
  done
}

# Servers are installed where root's shell does not always look.
PATH=$PATH:/usr/sbin
install_packages
build_if_needed
install_peers
exec "$node" "$root/src/e2e/bench/main.ts" "$@"
