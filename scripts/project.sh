# shellcheck shell=bash
# Sourced by the launchers: finds the project, installs and builds what they start.

root=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
self=${0##*/}

fail() {
  echo "$self: $1" >&2
  exit "${2:-1}"
}

# Prints the two lines of help if the first argument asks for them.
help_on() {
  if [ "${1:-}" = "-h" ]; then
    printf '%s\n' "$2" "$3"
    exit 0
  fi
}

# Installs what package-lock.json names, and sets `node` to the pinned Node among it.
install_packages() {
  local major
  if ! major=$(node -p 'parseInt(process.versions.node)' 2>/dev/null) || [ "$major" -lt 20 ]; then
    fail "Node 20 or later is needed"
  fi
  command -v npm >/dev/null || fail "npm is needed: it comes with Node"
  node "$root/build/install.mjs"
  node="$root/node_modules/node-$(node -p 'process.platform + "-" + process.arch')/bin/node"
  [ -x "$node" ] || fail "this runs on Linux only, x64 or arm64"
}

# Builds the executables unless they are newer than all that they are made from.
# The build reports to stderr: stdout is for what the programs print.
build_if_needed() {
  local oldest=$root/dist/performance-server
  if [ -x "$oldest" ] && [ -x "$root/dist/performance-client" ] &&
    [ -z "$(CDPATH='' cd -- "$root" && find src build package.json package-lock.json tsconfig.json \
      ! -name '*.test.ts' -newer "$oldest" -print -quit)" ]; then
    return
  fi
  "$root/scripts/build.sh" >&2 || fail "the build failed"
}
