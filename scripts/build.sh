#!/usr/bin/env bash
set -euo pipefail
# shellcheck source=scripts/project.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/project.sh"
help_on "${1:-}" \
  "Builds the executables into dist/, from a bare clone too. Needs Node 20 or later, and npm." \
  "Usage: scripts/build.sh [--target linux-x64|linux-arm64|win-x64]..."

install_packages
# The Node that goes into the executables also makes them.
exec "$node" "$root/build/main.ts" "$@"
