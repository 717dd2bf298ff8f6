# Only where gcr.io is out of reach: build.sh beside this makes distroless-*.tar from Debian's packages.
FROM scratch
ARG TARGETARCH
ADD distroless-${TARGETARCH}.tar /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
USER 65532:65532
WORKDIR /home/nonroot
