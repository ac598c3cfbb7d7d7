# The images of docker-compose.yml: a target for each of its services.

ARG VERSION=0.1.0
# Where this was built from: a commit, and the address of a repository.
ARG REVISION=unknown
ARG SOURCE=unknown

# The images of others that these are made from. What is not pinned is what its tag means on the day of the build.
# not pinned: npm run pin
FROM node:24-bookworm-slim AS node-base
# not pinned: npm run pin
FROM debian:bookworm-slim AS debian-base
# not pinned: npm run pin
FROM redis:7-bookworm AS redis-base
# not pinned: npm run pin
FROM prom/prometheus:v3.13.5 AS prometheus-base

FROM node-base AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --include=dev
COPY . .
RUN npm run build

# The programs bundle the packages they need. These are here for their licences, and for those that read their own files.
FROM node-base AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev

# Node without what could install or build something.
FROM node-base AS bare
RUN cd /usr/local && rm -rf lib/node_modules include bin/npm bin/npx bin/corepack bin/yarn bin/yarnpkg bin/docker-entrypoint.sh /opt/yarn*

# Copied, because a layer that deletes files still carries them below.
FROM scratch AS programs
COPY --from=bare / /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin NODE_ENV=production
WORKDIR /app
COPY package.json LICENSE ./
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=build /app/locales locales
COPY deploy/containers/health.mjs deploy/containers/health.mjs
RUN ln -s /app/dist/support-relay.js /usr/local/bin/support-relay && node --version
USER 1000:1000
ARG VERSION REVISION SOURCE
LABEL org.opencontainers.image.title="support-relay" \
      org.opencontainers.image.description="A secure anonymous relay for requests for help" \
      org.opencontainers.image.licenses="AGPL-3.0-or-later" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"

FROM programs AS relay
CMD ["node", "dist/relay.js"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
  CMD ["node", "deploy/containers/health.mjs", "/tmp/private.sock"]

FROM programs AS worker
CMD ["node", "dist/worker.js"]
# Healthy when the last round is recent and the next one can run; other warnings are for the operator.
HEALTHCHECK --interval=15s --timeout=15s --start-period=60s \
  CMD node dist/support-relay.js operator status --part worker --redis-socket "$WORKER_REDIS_SOCKET" \
    --user worker --password-file "$WORKER_REDIS_PASSWORD_FILE" > /dev/null

FROM programs AS operator
CMD ["node", "dist/operator.js"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
  CMD ["node", "deploy/containers/health.mjs", "/run/operator/operator.sock"]

# Setup and the operator's commands: builds the form too, so it has what the form is made of.
FROM programs AS tools
COPY package-lock.json .npmrc tsconfig.base.json ./
COPY --from=build /app/node_modules/esbuild node_modules/esbuild
COPY --from=build /app/node_modules/@esbuild node_modules/@esbuild
COPY crypto crypto
COPY deploy deploy
COPY runtime runtime
COPY volunteer volunteer
COPY web web
ENTRYPOINT ["node", "dist/support-relay.js"]

FROM redis-base AS redis
# Freed memory is overwritten; the second name is for builds of Redis that bundle jemalloc.
ENV MALLOC_CONF="junk:free" JE_MALLOC_CONF="junk:free"
COPY deploy/redis/redis.conf deploy/redis/start.sh /etc/redis/
ARG VERSION REVISION SOURCE
LABEL org.opencontainers.image.title="support-relay redis" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
USER 1000:1000
CMD ["sh", "/etc/redis/start.sh", "/data", "/run/redis/damaged", "redis-server", "/etc/redis/redis.conf", "--dir", "/data", \
  "--unixsocket", "/run/redis/redis.sock", "--aclfile", "/etc/redis/users.acl"]
# No Redis user exists for this check: a refusal is a sign of life too.
HEALTHCHECK --interval=5s --timeout=5s --start-period=120s \
  CMD redis-cli -s /run/redis/redis.sock ping 2>&1 | grep -qE 'PONG|NOAUTH'

FROM debian-base AS tor
# Above the installation, so that each version of ours brings the newest tor of Debian's.
ARG VERSION
RUN apt-get update \
 && apt-get install -y --no-install-recommends tor \
 && rm -rf /var/lib/apt/lists/* /etc/tor /var/lib/tor \
 && mkdir -p /etc/support-relay/torrc.d
COPY deploy/tor/ /etc/support-relay/tor/
COPY deploy/containers/tor-health.pl /etc/support-relay/tor-health.pl
ARG REVISION SOURCE
LABEL org.opencontainers.image.title="support-relay tor" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
USER 1000:1000
# tor puts its control socket only into a folder of its own.
CMD ["sh", "-c", "mkdir -p -m 700 /tmp/control && exec tor --defaults-torrc /dev/null -f /etc/support-relay/tor/torrc"]
# The start period is how long tor may take to find its way into the network.
HEALTHCHECK --interval=10s --timeout=5s --start-period=180s \
  CMD ["perl", "/etc/support-relay/tor-health.pl", "/tmp/control/socket"]

FROM prometheus-base AS prometheus
COPY deploy/prometheus/ /etc/prometheus/
ARG VERSION REVISION SOURCE
LABEL org.opencontainers.image.title="support-relay prometheus" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus", "--storage.tsdb.retention.time=15d", \
  "--storage.tsdb.retention.size=512MB", "--web.listen-address=127.0.0.1:9090"]
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s \
  CMD ["promtool", "query", "instant", "http://127.0.0.1:9090", "1"]
