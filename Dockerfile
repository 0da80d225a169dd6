# The gateway and the libraries it needs, nothing else: no shell, not as root. scripts/image lays out dist/image, a folder
# per CPU.

# Alpine lends its C library, the C++ library and the certificates, for other CPUs too: nothing of theirs is run here.
FROM --platform=$BUILDPLATFORM alpine:3.22.2 AS alpine
ARG TARGETARCH
RUN case $TARGETARCH in amd64) cpu=x86_64 ;; arm64) cpu=aarch64 ;; *) echo "perpetua is not built for $TARGETARCH" >&2 && exit 1 ;; esac && \
    mkdir -p /lent/etc/apk/keys && \
    cp /etc/apk/repositories /lent/etc/apk/ && \
    cp "/usr/share/apk/keys/$cpu"/*.pub /lent/etc/apk/keys/ && \
    apk add --root /lent --initdb --arch "$cpu" --no-cache --no-scripts musl libstdc++ ca-certificates-bundle

FROM scratch
ARG TARGETARCH
COPY --from=alpine /lent/lib/ /lib/
COPY --from=alpine /lent/usr/lib/ /usr/lib/
COPY --from=alpine /lent/etc/ssl/ /etc/ssl/
COPY dist/image/${TARGETARCH}/perpetua /usr/local/bin/perpetua
COPY dist/image/${TARGETARCH}/LICENSE dist/image/${TARGETARCH}/THIRD-PARTY.txt /usr/share/doc/perpetua/
# Empty folders that belong to who runs it: volumes take owners from there. /tmp is for SQLite, should it need one.
COPY --chown=65532:65532 dist/image/${TARGETARCH}/folders/tmp/ /tmp/
COPY --chown=65532:65532 dist/image/${TARGETARCH}/folders/perpetua/ /perpetua/
USER 65532:65532
WORKDIR /perpetua
VOLUME ["/perpetua/config", "/perpetua/data"]
# Others reach a container by its own address, never by loopback; the gateway refuses to start so without a token.
# The log goes to the console alone.
ENV PERPETUA_HTTP_HOST=0.0.0.0 PERPETUA_LOG_DIR=
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=6s --start-period=10s CMD ["/usr/local/bin/perpetua", "healthz"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/perpetua"]
CMD ["start"]
