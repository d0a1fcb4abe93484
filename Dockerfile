# Tollgate as a container: `docker run -i IMAGE run -c /policy.yaml -- CMD`. `make image` builds it.
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /opt/tollgate
COPY package.json package-lock.json ./
# No script of a dependency runs: what is native comes ready in its package.
RUN npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run --silent build
# SQLite's sources and the modules of other platforms are never read.
RUN npm prune --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error \
 && cd node_modules/better-sqlite3 \
 && rm -rf deps src \
 && find prebuilds -type f ! -name "linux-$(node -p process.arch).node" -delete

FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.title="tollgate" \
      org.opencontainers.image.description="The gate in front of every MCP call." \
      org.opencontainers.image.licenses="Apache-2.0"
COPY package.json LICENSE /opt/tollgate/
COPY bin /opt/tollgate/bin
COPY compiler/dist /opt/tollgate/compiler/dist
COPY rego /opt/tollgate/rego
COPY proto /opt/tollgate/proto
COPY web /opt/tollgate/web
COPY --from=build /opt/tollgate/node_modules /opt/tollgate/node_modules
COPY --from=build /opt/tollgate/dist /opt/tollgate/dist
# Everything that is written goes below this one folder, so the rest of the file system may be read-only.
RUN ln -s /opt/tollgate/bin/tollgate /usr/local/bin/tollgate \
 && install -d -o 65532 -g 65532 -m 0700 /var/lib/tollgate
ENV HOME=/var/lib/tollgate \
    TOLLGATE_LEDGER=/var/lib/tollgate/ledger.db
VOLUME /var/lib/tollgate
# A number, so that a cluster which forbids root can see that this is none.
USER 65532:65532
ENTRYPOINT ["tollgate"]
