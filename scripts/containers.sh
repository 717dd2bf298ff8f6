# shellcheck shell=bash
# Sourced by the launchers, after project.sh: finds what builds and runs images, and calls it.
: "${root:?}"

# Sets `tool` to the first of the given programs that works here; CONTAINER_TOOL decides otherwise.
# Usage: find_container_tool PROGRAM...
find_container_tool() {
  if [ -n "${CONTAINER_TOOL:-}" ]; then
    tool=$CONTAINER_TOOL
    command -v "$tool" >/dev/null || fail "there is no $tool, which CONTAINER_TOOL asks for"
    return
  fi
  for tool in "$@"; do
    # A docker without its daemon can do nothing.
    case $tool in
      docker) ! docker version >/dev/null 2>&1 || return 0 ;;
      *) ! command -v "$tool" >/dev/null || return 0 ;;
    esac
  done
  fail "none of these works here: $*"
}

# As package.json has it; an image is tagged with it.
project_version() { sed -n 's/^  "version": "\(.*\)",$/\1/p' "$root/package.json"; }

# The platform of this machine, as images name it.
host_platform() {
  case $(uname -m) in
    x86_64) echo linux/amd64 ;;
    aarch64) echo linux/arm64 ;;
    *) fail "images are for x86_64 and aarch64 alone" ;;
  esac
}

# Builds an image by `tool`; for several platforms, a list that holds one for each.
# Usage: build_image PLATFORM[,PLATFORM] NAME DOCKERFILE FOLDER [OPTION]...
build_image() {
  local platforms=$1 name=$2 file=$3 folder=$4
  shift 4
  local options=(--file "$file" --platform "$platforms" "$@")
  # All times in the image are the commit's, so that it builds to the same bytes again.
  local epoch=${SOURCE_DATE_EPOCH:-0}
  case $tool in
    docker)
      DOCKER_BUILDKIT=1 docker build --tag "$name" --build-arg "SOURCE_DATE_EPOCH=$epoch" \
        "${options[@]}" "$folder"
      ;;
    podman | buildah)
      # OCI's format has no health check. Older ones do not know on what platform they build.
      options+=(--format docker --layers --timestamp "$epoch"
        --build-arg "SOURCE_DATE_EPOCH=$epoch" --build-arg "BUILDPLATFORM=$(host_platform)")
      case $platforms in
        *,*)
          # A list of this name would keep what is in it, and an image of this name cannot become one.
          "$tool" manifest rm "$name" >/dev/null 2>&1 || "$tool" rmi "$name" >/dev/null 2>&1 || true
          "$tool" build --manifest "$name" "${options[@]}" "$folder"
          ;;
        *) "$tool" build --tag "$name" "${options[@]}" "$folder" ;;
      esac
      ;;
    *) fail "images are built by docker, podman or buildah, not by $tool" ;;
  esac
}
