# Only where docker.io is out of reach: build.sh beside this makes builder-*.tar.
FROM scratch
ARG TARGETARCH
ADD builder-${TARGETARCH}.tar /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  NODE_EXTRA_CA_CERTS=/usr/local/share/extra-ca.crt
