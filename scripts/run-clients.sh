#!/usr/bin/env bash
set -euo pipefail
# shellcheck source=scripts/project.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/project.sh"
# shellcheck source=scripts/processes.sh
. "$root/scripts/processes.sh"
help_on "${1:-}" \
  "Runs N clients (2), client-1 to client-N, until they are done or Ctrl-C; builds them first if needed." \
  "Usage: scripts/run-clients.sh [N] [OPTION]... with the client's own options: --help shows them"

clients=2
case ${1:-} in
  "" | -*) ;;
  *[!0-9]* | 0*) fail "the number of clients is a whole number from 1: not $1" 2 ;;
  *)
    clients=$1
    shift
    ;;
esac
build_if_needed
for option in "$@"; do
  # Answers, not runs: one is enough.
  case $option in
    --help | --version | --licenses) exec "$root/dist/performance-client" "$@" ;;
  esac
done

name=${CLIENT_NAME:-client}
run=$(mktemp -d "${TMPDIR:-/tmp}/run-clients.XXXXXX")
pid_files=()
children=()
trap 'stop_programs "${pid_files[@]}"; rm -rf "$run"' EXIT
trap 'signal_programs TERM "${pid_files[@]}"' INT TERM HUP
trap 'signal_programs WINCH "${pid_files[@]}"' WINCH

for ((i = 1; i <= clients; i++)); do
  pid_files+=("$run/$i.pid")
  # Each has its own name, but one that the user gives counts.
  export CLIENT_NAME="$name-$i"
  if [ "$i" -eq 1 ]; then
    start_program "$run/1.pid" "$root/dist/performance-client" "$@"
  elif [ -t 1 ]; then
    # The terminal shows the live figures of the first.
    start_program "$run/$i.pid" "$root/dist/performance-client" "$@" >"$run/$i.out" 2>"$run/$i.log"
  else
    start_program "$run/$i.pid" "$root/dist/performance-client" "$@" >"$run/$i.out"
  fi
  children+=("$pid")
done

failed=0
for ((i = 1; i <= clients; i++)); do
  code=0
  wait_for "${children[i - 1]}" || code=$?
  if [ "$code" -ne 0 ]; then
    if [ -s "$run/$i.log" ]; then cat "$run/$i.log" >&2; fi
    if [ "$failed" -eq 0 ]; then failed=$code; fi
  fi
  if [ -s "$run/$i.out" ]; then
    echo
    cat "$run/$i.out"
  fi
done
exit "$failed"
