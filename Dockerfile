# The worker in a small image: built with the official Swift image, run on Debian's slim one.
ARG SWIFT_VERSION=6.2

FROM swift:${SWIFT_VERSION}-bookworm AS build
WORKDIR /build
# Each layer changes less often than the one below it: system packages, dependencies, sources.
COPY scripts/bootstrap scripts/
RUN scripts/bootstrap && rm -rf /var/lib/apt/lists/*
COPY Package.swift Package.versions ./
COPY scripts/versions scripts/
RUN scripts/versions resolve
COPY . .
# Swift's own libraries go into the binary: below, only C libraries are left to install.
RUN swift build -c release --product rejoinder --static-swift-stdlib \
    && install -D "$(swift build -c release --product rejoinder --static-swift-stdlib --show-bin-path)/rejoinder" /out/rejoinder \
    && strip --strip-debug /out/rejoinder

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libcurl4 liblmdb0 librdkafka1 libssl3 libzstd1 zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 rejoinder \
    && useradd --no-create-home --uid 10001 --gid 10001 --home-dir /var/lib/rejoinder --shell /usr/sbin/nologin rejoinder \
    && install -d -o rejoinder -g rejoinder /var/lib/rejoinder
COPY --from=build /out/rejoinder /usr/local/bin/rejoinder
USER rejoinder
# The stores: losing them costs a rebuild from the topics, nothing else.
ENV REJOINDER_STORE_DIRECTORY=/var/lib/rejoinder
VOLUME /var/lib/rejoinder
# Live: its lanes turn. Not whether it is ready: Swarm and autoheal replace a container that fails its check, and a
# worker that restores for longer than the retries take would begin its restore anew, for ever. The check reads the
# environment as `run` does, so a port or a configuration file that is given otherwise has to be given in the
# environment.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 CMD ["rejoinder", "health", "--live"]
# SIGTERM lets the worker finish its step, commit and leave the group.
STOPSIGNAL SIGTERM
ENTRYPOINT ["rejoinder"]
CMD ["run"]
