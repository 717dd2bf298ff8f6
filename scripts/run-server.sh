#!/usr/bin/env bash
set -euo pipefail
# shellcheck source=scripts/project.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/project.sh"
help_on "${1:-}" \
  "Runs a server in the foreground; builds it first if needed." \
  "Usage: scripts/run-server.sh [OPTION]... with the server's own options: --help shows them"

build_if_needed
exec "$root/dist/performance-server" "$@"
