# One image for every role: `docker run trainyard api|worker|inference|migrate`; without a role, all roles in one process.
#
#   docker build -t trainyard .
#   docker build --build-arg PROFILE=release -t trainyard .    faster to build, slower to run: for tests

FROM node:22-bookworm-slim AS web
WORKDIR /web
COPY web/package.json web/package-lock.json ./
RUN --mount=type=cache,id=trainyard-npm,target=/root/.npm npm install --no-save --ignore-scripts --no-audit --no-fund
COPY web .
RUN npm run build

FROM rust:1.95-slim-bookworm AS build
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends g++ make >/dev/null && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
COPY --from=web /web/dist web/dist
ARG PROFILE=dist
# Downloads and compiled dependencies stay in the builder's cache, so a change compiles only the workspace. The files are touched
# because cargo compares modification times, and the cache may have newer files of another checkout.
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
# A numeric user id, which Kubernetes' runAsNonRoot requires. Writes only to the working directory, which may be a volume.
USER 10001:10001
WORKDIR /var/lib/trainyard
ENV LISTEN=0.0.0.0:8080 LOG_FORMAT=json
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=8s --start-period=30s --retries=3 CMD ["trainyard", "healthcheck"]
# The binary handles SIGTERM and reaps its child processes, so it needs no init process.
ENTRYPOINT ["trainyard"]
CMD ["up"]
# Last, because these layers differ with every build.
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Trainyard" \
      org.opencontainers.image.description="Trains, versions and serves models of tabular data" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
