# The gateway and the C library it needs: no shell, not as root. scripts/image lays out dist/image, a folder per CPU.
FROM gcr.io/distroless/base-nossl-debian12:nonroot
ARG TARGETARCH
COPY dist/image/${TARGETARCH}/perpetua /usr/local/bin/perpetua
COPY dist/image/${TARGETARCH}/LICENSE dist/image/${TARGETARCH}/THIRD-PARTY.txt /usr/share/doc/perpetua/
# Empty folders that belong to who runs it: volumes take owners from there.
COPY --chown=65532:65532 dist/image/${TARGETARCH}/volumes/ /perpetua/
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
