#!/usr/bin/env bash
set -euo pipefail
# shellcheck source=scripts/project.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/project.sh"
help_on "${1:-}" \
  "Installs what is needed and runs all checks and tests that this machine can, or those of one kind, in files whose path has FILTER." \
  "Usage: scripts/test.sh [lint|unit|e2e] [FILTER]"

install_packages
exec "$node" "$root/build/test-runner.ts" "$@"
