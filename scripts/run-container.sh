#!/usr/bin/env bash
set -euo pipefail
# shellcheck source=scripts/project.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/project.sh"
# shellcheck source=scripts/containers.sh
. "$root/scripts/containers.sh"
help_on "${1:-}" \
  "Runs a server or a client in a container, with docker or podman: no privileges, a read-only root, this machine's network, and the variables SERVER_*, CLIENT_* and AWS_* that are set. Builds the image first if needed." \
  "Usage: scripts/run-container.sh [--image IMAGE] [--network NETWORK] [--volume HOST:CONTAINER]... server|client [OPTION]..."

image=""
# Without it, the container's address translation would be on the way that is measured.
network=host
options=()
while :; do
  case ${1:-} in
    server | client) break ;;
    --image | --network | --volume) [ -n "${2:-}" ] || fail "$1 needs a value" 2 ;;
    "") fail "server or client? -h shows help" 2 ;;
    *) fail "no such argument: $1; -h shows help" 2 ;;
  esac
  case $1 in
    --image) image=$2 ;;
    --network) network=$2 ;;
    --volume) options+=(--volume "$2") ;;
  esac
  shift 2
done
component=$1
shift

find_container_tool docker podman
if [ -z "$image" ]; then
  image=performance-$component:$(project_version)
  if ! "$tool" image inspect "$image" >/dev/null 2>&1; then
    CONTAINER_TOOL=$tool "$root/scripts/build-container.sh" "$component" >&2 ||
      fail "the image was not built"
  fi
fi

# By name alone: the values, credentials among them, are not for the list of processes.
while read -r variable; do
  case $variable in SERVER_* | CLIENT_* | AWS_*) options+=(--env "$variable") ;; esac
done < <(compgen -e)
if [ -t 0 ] && [ -t 1 ]; then options+=(--interactive --tty); fi
# Podman would mount writable folders into a read-only root.
if [ "$tool" = podman ]; then options+=(--read-only-tmpfs=false); fi

exec "$tool" run --rm --network "$network" --read-only --cap-drop ALL \
  --security-opt no-new-privileges "${options[@]}" "$image" "$@"
