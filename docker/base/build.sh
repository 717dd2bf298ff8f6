#!/usr/bin/env bash
set -euo pipefail
# shellcheck source=scripts/project.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../../scripts/project.sh"
# shellcheck source=scripts/containers.sh
. "$root/scripts/containers.sh"
help_on "${1:-}" \
  "Makes what the Dockerfiles start from where no container registry is reached, under the same names: distroless/cc, and Node to build on. Needs root on Debian 12." \
  "Usage: docker/base/build.sh [PLATFORM[,PLATFORM]] with linux/amd64 and linux/arm64; this machine's without"

# As the Dockerfiles name them.
distroless=gcr.io/distroless/cc-debian12:nonroot
builder=docker.io/library/node:24-bookworm-slim
npm_version=11.6.2
# What the real one holds, from the packages that it is made of.
distroless_packages=(base-files ca-certificates gcc-12-base libc6 libgcc-s1 libgomp1 libssl3
  libstdc++6 media-types netbase tzdata)

# apt-get, for another architecture, on a state of its own: this machine's is left alone.
# Usage: foreign_apt ARCHITECTURE ARGUMENT...
foreign_apt() {
  local state=$work/apt-$1
  mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
  touch "$state/status"
  apt-get --quiet --quiet -o "APT::Architecture=$1" -o "APT::Architectures::=$1" \
    -o "Dir::State=$state" -o "Dir::State::status=$state/status" -o "Dir::Cache=$state/cache" \
    -o APT::Sandbox::User=root "${@:2}"
}

# Usage: unpack_distroless ARCHITECTURE FOLDER
unpack_distroless() {
  local package
  mkdir -p "$work/debs-$1" "$2"
  foreign_apt "$1" update
  (CDPATH='' cd -- "$work/debs-$1" && foreign_apt "$1" download "${distroless_packages[@]}")
  for package in "$work/debs-$1"/*.deb; do dpkg-deb --extract "$package" "$2"; done

  # What the packages' own scripts would do on a machine with a shell.
  cat "$2"/usr/share/ca-certificates/*/*.crt >"$2/etc/ssl/certs/ca-certificates.crt"
  echo "hosts: files dns" >"$2/etc/nsswitch.conf"
  printf '%s\n' root:x:0:0:root:/root:/sbin/nologin nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin \
    nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin >"$2/etc/passwd"
  printf '%s\n' root:x:0: nobody:x:65534: tty:x:5: staff:x:50: nonroot:x:65532: >"$2/etc/group"
  install --directory --mode=700 --owner=65532 --group=65532 "$2/home/nonroot"

  # Manuals, and the certificates one by one: the real one has only the licences, and the bundle.
  find "$2/usr/share/doc" -type f ! -name copyright -delete
  find "$2/usr/share/doc" -type l -delete
  rm -r "$2/usr/share/ca-certificates" "$2/usr/share/man" "$2/usr/share/lintian" \
    "$2/usr/sbin/update-ca-certificates"
}

# Usage: pack FOLDER ARCHIVE
pack() {
  tar --create --file "$2" --directory "$1" --sort=name --numeric-owner \
    --mtime="@${SOURCE_DATE_EPOCH:-0}" .
}

# A minimal Debian with apt, and Node and npm as their makers' image has them.
# Usage: unpack_builder FOLDER
unpack_builder() {
  mmdebstrap --quiet --variant=apt --include=ca-certificates bookworm "$1"
  install_packages
  install --mode=755 "$node" "$1/usr/local/bin/node"
  npm install --silent --global --prefix "$1/usr/local" "npm@$npm_version"
  # This machine's trust: what stands between it and the package registries may have its own.
  install --mode=644 "${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}" \
    "$1/usr/local/share/extra-ca.crt"
}

platforms=${1:-$(host_platform)}
# shellcheck disable=SC1091
[ "$(. /etc/os-release && echo "$VERSION_CODENAME")" = bookworm ] || fail "this needs Debian 12"
[ "$(id -u)" -eq 0 ] || fail "this needs root"
command -v mmdebstrap >/dev/null || fail "this needs mmdebstrap: apt-get install mmdebstrap"
find_container_tool docker podman buildah
work=$(mktemp -d "${TMPDIR:-/tmp}/base.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/context"

for platform in ${platforms//,/ }; do
  case $platform in
    linux/amd64 | linux/arm64) ;;
    *) fail "no such platform: $platform; there are linux/amd64 and linux/arm64" 2 ;;
  esac
  architecture=${platform#linux/}
  unpack_distroless "$architecture" "$work/distroless-$architecture"
  pack "$work/distroless-$architecture" "$work/context/distroless-$architecture.tar"
done
build_image "$platforms" "$distroless" "$root/docker/base/distroless.Dockerfile" "$work/context" --no-cache

host=$(host_platform)
unpack_builder "$work/builder"
pack "$work/builder" "$work/context/builder-${host#linux/}.tar"
build_image "$host" "$builder" "$root/docker/base/builder.Dockerfile" "$work/context" --no-cache
