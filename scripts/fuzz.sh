#!/usr/bin/env bash
set -euo pipefail
# shellcheck source=scripts/project.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/project.sh"
help_on "${1:-}" \
  "Gives what takes bytes from outside (frames, datagrams, files, records, answers) changed inputs, guided by the code that they reach, and checks what must hold of any input: all targets, or the one that is named, for 60 s together or SECONDS. Inputs that break something are left in .cache/fuzz, to be run again by --replay. --keep: what reached something new goes into src/e2e/fuzz/corpus. A target that does not exist: tells which there are." \
  "Usage: scripts/fuzz.sh [--seed N] [--keep] [--replay FILE] [SECONDS] [TARGET]"

install_packages
exec "$node" --expose-gc "$root/src/e2e/fuzz/main.ts" "$@"
