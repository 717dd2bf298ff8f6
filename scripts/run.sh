#!/usr/bin/env bash
set -euo pipefail
# shellcheck source=scripts/project.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/project.sh"
# shellcheck source=scripts/processes.sh
. "$root/scripts/processes.sh"
help_on "${1:-}" \
  "Measures on this machine: one server and two clients, for 15 s, until Enter (managed), or in the background (start, stop)." \
  "Usage: scripts/run.sh [managed|start|stop]"

programs=(server client-1 client-2)
# Fast enough to fill the tables in 15 s.
client_options=(--log-format text --interval 50ms-150ms --stats 5)

# Sets up the folder that holds for each program: NAME.pid, NAME.out, NAME.log.
use_folder() {
  run=$1
  pid_files=()
  local name
  for name in "${programs[@]}"; do pid_files+=("$run/$name.pid"); done
}

start_server() {
  # SERVER_PORT, as any variable of the server's, counts; else any free port does.
  start_program "$run/server.pid" "$root/dist/performance-server" --log-format text \
    --port "${SERVER_PORT:-0}" >"$run/server.out" 2>"$run/server.log"
  if ! wait_until_listening "$run/server.pid" "$run/server.log"; then
    cat "$run/server.log" >&2
    fail "the server did not start"
  fi
}

# Usage: start_client NAME [OPTION]...; sets `pid`
start_client() {
  start_program "$run/$1.pid" "$root/dist/performance-client" \
    --server "local=localhost:$port" --name "$1" "${client_options[@]}" "${@:2}"
}

# Ends what still runs, the clients first, so that they can say bye.
stop_all() {
  stop_programs "${pid_files[@]:1}"
  stop_programs "${pid_files[0]}"
}

# Starts everything in a folder of its own that goes with this script, with the figures of client-1
# on this terminal.
start_here() {
  use_folder "$(mktemp -d "${TMPDIR:-/tmp}/run.XXXXXX")"
  trap 'stop_all; rm -rf "$run"' EXIT
  trap 'signal_programs WINCH "${pid_files[1]}"' WINCH
  start_server
  server=$pid
  start_client client-2 "$@" >"$run/client-2.out" 2>"$run/client-2.log"
  client_2=$pid
  start_client client-1 "$@"
  client_1=$pid
}

# Waits for the clients, ends the server, and shows the tables of those that had no terminal.
finish_here() {
  local failed=0
  finish client-1 "$client_1"
  finish client-2 "$client_2"
  stop_all
  finish server "$server"
  return "$failed"
}

# Usage: finish NAME PID
finish() {
  local code=0
  wait_for "$2" || code=$?
  if [ "$code" -ne 0 ]; then
    if [ -s "$run/$1.log" ]; then cat "$run/$1.log" >&2; fi
    echo "$self: $1 failed with exit code $code" >&2
    failed=1
  fi
  if [ -s "$run/$1.out" ]; then
    echo
    cat "$run/$1.out"
  fi
}

run_for_a_while() {
  build_if_needed
  echo "One server and two clients measure on this machine for 15 s."
  start_here --duration 15s
  finish_here
}

run_until_enter() {
  build_if_needed
  start_here
  echo "One server and two clients run on this machine, port $port. Press Enter to stop them."
  # The end of the input stops them as well.
  read -r || true
  stop_programs "${pid_files[@]:1}"
  finish_here
}

any_running() {
  local file
  for file in "${pid_files[@]}"; do
    if is_running "$file"; then return; fi
  done
  return 1
}

start_in_background() {
  use_folder "$root/.run"
  if any_running; then fail "already running: scripts/run.sh stop ends it"; fi
  build_if_needed
  rm -rf "$run"
  # Fails for the second of two that start at the same time.
  mkdir "$run"
  trap 'stop_all' EXIT
  start_server
  local name
  for name in client-1 client-2; do
    start_client "$name" >"$run/$name.out" 2>"$run/$name.log"
  done
  trap - EXIT
  echo "One server (port $port) and two clients run in the background; their logs are in .run/."
}

stop_in_background() {
  use_folder "$root/.run"
  if ! any_running; then
    echo "Nothing is running."
    return
  fi
  stop_all
  local name
  for name in "${programs[@]}"; do
    if [ -s "$run/$name.out" ]; then
      echo
      cat "$run/$name.out"
    fi
  done
}

# So that the trap on EXIT runs, after the command that runs now.
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

if [ "$#" -gt 1 ]; then fail "one argument at most; -h shows help" 2; fi
case ${1:-} in
  "") run_for_a_while ;;
  managed) run_until_enter ;;
  start) start_in_background ;;
  stop) stop_in_background ;;
  *) fail "no such argument: $1; -h shows help" 2 ;;
esac
