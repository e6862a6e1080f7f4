# The worker in a small image: built with the official Swift image, run on Debian's slim one.
ARG SWIFT_VERSION=6.2

FROM swift:${SWIFT_VERSION}-bookworm AS build
WORKDIR /build
# Each layer changes less often than the one below it: system packages, dependencies, sources.
COPY scripts/bootstrap scripts/
RUN scripts/bootstrap && rm -rf /var/lib/apt/lists/*
COPY Package.swift ./
RUN swift package resolve
COPY . .
# Swift's own libraries go into the binary: what is left to install below is C.
RUN swift build -c release --product rejoinder --static-swift-stdlib \
    && install -D "$(swift build -c release --product rejoinder --static-swift-stdlib --show-bin-path)/rejoinder" /out/rejoinder \
    && strip --strip-debug /out/rejoinder

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates liblmdb0 librdkafka1 libzstd1 zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 rejoinder \
    && useradd --no-create-home --uid 10001 --gid 10001 --home-dir /var/lib/rejoinder --shell /usr/sbin/nologin rejoinder \
    && install -d -o rejoinder -g rejoinder /var/lib/rejoinder
COPY --from=build /out/rejoinder /usr/local/bin/rejoinder
USER rejoinder
# The stores: losing them costs a rebuild from the topics, nothing else.
ENV REJOINDER_STORE_DIRECTORY=/var/lib/rejoinder
VOLUME /var/lib/rejoinder
# A worker at work holds a connection to a broker; one that has none for a minute and a half is not well.
# (In /proc/net/tcp the state 01 is "established"; there is no tcp6 where IPv6 is off.)
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '$4 == "01" { found = 1 } END { exit !found }'
# SIGTERM lets the worker finish its step, commit and leave the group.
STOPSIGNAL SIGTERM
ENTRYPOINT ["rejoinder"]
CMD ["run"]
