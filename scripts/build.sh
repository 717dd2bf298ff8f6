#!/bin/sh
# Builds the executables into dist/, from a bare clone too. Needs Node 20 or later, and npm.
# Usage: scripts/build.sh [--target linux-x64|linux-arm64|win-x64]...
set -eu
cd "$(dirname "$0")/.."

if ! major=$(node -p 'parseInt(process.versions.node)') || [ "$major" -lt 20 ]; then
  echo "build: Node 20 or later is needed" >&2
  exit 1
fi
node build/install.mjs

# The Node that goes into the executables also makes them.
pinned="node_modules/node-$(node -p 'process.platform + "-" + process.arch')/bin/node"
if [ ! -x "$pinned" ]; then
  echo "build: executables can only be made on Linux, x64 or arm64" >&2
  exit 1
fi
exec "$pinned" build/main.ts "$@"
