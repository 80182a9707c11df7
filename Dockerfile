# One image for every role: `docker run trainyard api|worker|inference|migrate`; without a role it is all of them in one process.
#
#   docker build -t trainyard .
#   docker build --build-arg PROFILE=release -t trainyard .    quicker to build, slower to run: for tests

FROM rust:1.95-slim-bookworm AS build
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends g++ make >/dev/null && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
ARG PROFILE=dist
# What was downloaded and compiled stays in the builder's cache; a change of ours compiles our crates alone. Their files are
# touched because cargo goes by times, and the cache may have seen another checkout with later ones.
RUN --mount=type=cache,id=trainyard-registry,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,id=trainyard-target,target=/src/target,sharing=locked \
    find . -path ./target -prune -o -type f -exec touch {} + \
 && cargo build --profile "$PROFILE" --locked -p trainyard \
 && install -D "target/$PROFILE/trainyard" /out/trainyard \
 && strip /out/trainyard

FROM debian:bookworm-slim
RUN install -d -o 10001 -g 10001 /var/lib/trainyard
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/trainyard /usr/local/bin/trainyard
# By number, so that Kubernetes' runAsNonRoot can tell. Nothing is written outside the working directory, which may be a volume.
USER 10001:10001
WORKDIR /var/lib/trainyard
ENV LISTEN=0.0.0.0:8080 LOG_FORMAT=json
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=8s --start-period=30s --retries=3 CMD ["trainyard", "healthcheck"]
# The binary handles SIGTERM itself and reaps its only children, so that it needs no init before it.
ENTRYPOINT ["trainyard"]
CMD ["up"]
# Last, because they differ with every build.
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Trainyard" \
      org.opencontainers.image.description="Trains, versions and serves models of tabular data" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
