#!/usr/bin/env bash
set -euo pipefail
# shellcheck source=scripts/project.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/project.sh"
# shellcheck source=scripts/containers.sh
. "$root/scripts/containers.sh"
help_on "${1:-}" \
  "Builds the container images of server and client, or one of them, with docker, podman or buildah; several platforms become one list." \
  "Usage: scripts/build-container.sh [server|client] [--platform PLATFORM[,PLATFORM]] [--tag NAME[:TAG]] [--base IMAGE] [--builder IMAGE]"

components=()
platforms=""
tag=""
options=()
while [ "$#" -gt 0 ]; do
  case $1 in
    server | client)
      components+=("$1")
      shift
      continue
      ;;
    --platform | --tag | --base | --builder) ;;
    *) fail "no such argument: $1; -h shows help" 2 ;;
  esac
  [ -n "${2:-}" ] || fail "$1 needs a value" 2
  case $1 in
    --platform) platforms=$2 ;;
    --tag) tag=$2 ;;
    --base) options+=(--build-arg "BASE=$2") ;;
    --builder) options+=(--build-arg "BUILDER=$2") ;;
  esac
  shift 2
done
if [ "${#components[@]}" -eq 0 ]; then components=(server client); fi
if [ -n "$tag" ] && [ "${#components[@]}" -gt 1 ]; then
  fail "--tag names one image: say server or client" 2
fi
platforms=${platforms:-$(host_platform)}
for platform in ${platforms//,/ }; do
  case $platform in
    linux/amd64 | linux/arm64) ;;
    *) fail "no such platform: $platform; there are linux/amd64 and linux/arm64" 2 ;;
  esac
done

# Of the checkout's own commit, if it is one: of a copy inside another's, git would tell that one's.
of_commit() {
  [ -e "$root/.git" ] || return 0
  git -C "$root" "$@" 2>/dev/null || true
}

find_container_tool docker podman buildah
version=$(project_version)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(of_commit log -1 --format=%ct)}
# Only an address that others can open, and without the credentials that it may hold.
source=$(of_commit remote get-url origin | sed -n 's#^\(https://\)\([^/@]*@\)\{0,1\}\(.*\)$#\1\3#p')
options+=(
  --build-arg "VERSION=$version"
  --build-arg "REVISION=$(of_commit rev-parse HEAD)"
  --build-arg "SOURCE=$source"
)
for component in "${components[@]}"; do
  name=${tag:-performance-$component:$version}
  build_image "$platforms" "$name" "$root/docker/$component.Dockerfile" "$root" "${options[@]}"
  echo "built $name for $platforms"
done
