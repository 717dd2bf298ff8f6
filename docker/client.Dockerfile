ARG BUILDER=docker.io/library/node:24-bookworm-slim
ARG BASE=gcr.io/distroless/cc-debian12:nonroot

# Runs on the building machine's own platform, and makes executables for the image's: no emulation.
# Both Dockerfiles have this stage, word for word, so that the second image finds it in the cache.
FROM --platform=$BUILDPLATFORM ${BUILDER} AS build
WORKDIR /source
# strip for either platform; git names the commit. The base and the lock file pin what is shipped.
# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install --yes --no-install-recommends \
    binutils binutils-aarch64-linux-gnu binutils-x86-64-linux-gnu git \
  && rm -rf /var/lib/apt/lists/*
COPY package.json package-lock.json .npmrc ./
COPY build/install.mjs build/
COPY src/std-cli src/std-cli
RUN --mount=type=cache,target=/root/.npm node build/install.mjs
COPY . .
ARG TARGETARCH
ARG SOURCE_DATE_EPOCH=0
RUN --mount=type=cache,target=/root/.npm --mount=type=cache,target=/source/.cache \
  case "$TARGETARCH" in amd64) target=linux-x64 ;; *) target=linux-$TARGETARCH ;; esac \
  && scripts/build.sh --target "$target" \
  && mkdir /out \
  && find dist -name 'performance-*' -exec install --mode=755 --target-directory=/out {} + \
  && touch --date="@$SOURCE_DATE_EPOCH" /out/*

# The platform is named because older buildah would take the build stage's here too.
# hadolint ignore=DL3065
FROM --platform=$TARGETPLATFORM ${BASE}
ARG VERSION
ARG REVISION
ARG SOURCE
LABEL org.opencontainers.image.title="performance-client" \
  org.opencontainers.image.description="Measures one-way and round-trip network time through performance-server, over one or many routes" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.version="$VERSION" \
  org.opencontainers.image.revision="$REVISION" \
  org.opencontainers.image.source="$SOURCE"
COPY --from=build /out/performance-client /performance-client
USER 65532:65532
STOPSIGNAL SIGTERM
ENTRYPOINT ["/performance-client"]
