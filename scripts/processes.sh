# shellcheck shell=bash
# Sourced by the launchers, after project.sh: starts programs, and ends them and only them.
# A pid file holds what tells a process from a later one with the same id.

# The longest that a program takes for an orderly end is its --grace of 10 s, and a little.
stop_seconds=15

# Prints when a process started, in ticks since boot; nothing if it has ended.
start_time() {
  local stat fields
  { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 0
  # The process's name comes in parentheses, and may hold anything.
  read -r -a fields <<<"${stat##*) }"
  [ "${fields[0]}" = Z ] || echo "${fields[19]}"
}

boot_id() { cat /proc/sys/kernel/random/boot_id; }

# Starts a program in a session of its own, where no Ctrl-C of the terminal reaches it: it is told
# to end once, by stop_programs. Sets `pid`.
# Usage: start_program PID-FILE COMMAND [ARGUMENT]...
start_program() {
  local file=$1
  shift
  setsid "$@" </dev/null &
  pid=$!
  echo "$pid $(start_time "$pid") $(boot_id)" >"$file"
}

# Whether the program of a pid file still runs. Sets `pid`.
is_running() {
  local started boot
  { read -r pid started boot <"$1"; } 2>/dev/null || return
  [ -n "$boot" ] && [ "$boot" = "$(boot_id)" ] && [ "$(start_time "$pid")" = "$started" ]
}

# Ends the programs of these pid files that still run, all at once: asks them, waits, and kills
# those that stay.
stop_programs() {
  local file deadline=$((SECONDS + stop_seconds))
  signal_programs TERM "$@"
  for file in "$@"; do
    while is_running "$file" && [ "$SECONDS" -lt "$deadline" ]; do sleep 0.05; done
  done
  signal_programs KILL "$@"
}

signal_programs() {
  local file signal=$1
  shift
  for file in "$@"; do
    if is_running "$file"; then kill -s "$signal" "$pid" 2>/dev/null || true; fi
  done
}

# Waits for a program that this script started, and returns its exit code. A trap that runs
# meanwhile ends bash's own wait, but not this.
wait_for() {
  local code
  while :; do
    code=0
    wait "$1" || code=$?
    # Once bash has its exit code, the process is gone.
    if [ ! -d "/proc/$1" ]; then return "$code"; fi
  done
}

# Waits until a server says in its log on which port it listens, and sets `port`.
# Usage: wait_until_listening PID-FILE LOG
wait_until_listening() {
  local deadline=$((SECONDS + 30))
  port=""
  while is_running "$1" && [ "$SECONDS" -lt "$deadline" ]; do
    port=$(sed -n 's/.* is listening on .* port=\([0-9]*\).*/\1/p' "$2")
    if [ -n "$port" ]; then return; fi
    sleep 0.05
  done
  return 1
}
