# syntax=docker/dockerfile:1
# Sallyport for production: bring your own PostgreSQL (DATABASE_URL, SALLYPORT_KEY) and S3.
# Node does not collect orphaned processes as process 1: run with --init (docker-compose.yml does).

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY web/package.json web/
RUN npm ci --include=dev
COPY . .
RUN node scripts/build.mjs --release

FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY web/package.json web/
RUN npm ci --omit=dev
# Of the fonts of reports only the weights that are drawn with (src/reports/render/pdf/fonts.ts).
RUN find node_modules/@embedpdf -name '*.[ot]tf' ! -name '*-Regular.*' ! -name '*-Bold.ttf' -delete

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="Sallyport" \
      org.opencontainers.image.licenses="Apache-2.0"
# The flags of scripts/launch/node-flags.mjs; give NODE_OPTIONS another value to change them.
ENV NODE_ENV=production \
    NODE_OPTIONS="--enable-source-maps --max-semi-space-size=16 --max-old-space-size=1536" \
    LOG_FORMAT=json \
    HOST=0.0.0.0 \
    SALLYPORT_HOME=/var/lib/sallyport
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=build /app/web/dist web/dist
COPY --from=build /app/build/THIRD_PARTY_NOTICES.md /app/build/sbom.cdx.json ./
COPY package.json LICENSE ./
COPY workflows workflows
COPY samples samples
COPY deploy/make-buckets.mjs deploy/health.mjs deploy/
# Before USER: what a volume is mounted over takes its owner from here.
RUN install -d -o node -g node -m 0700 /var/lib/sallyport
USER node
VOLUME /var/lib/sallyport
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["node", "deploy/health.mjs"]
CMD ["node", "dist/main.js"]
