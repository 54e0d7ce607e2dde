# The server as an image: `docker build --tag accrete .`
# Packages come from the registry that npm knows; settings of your own (another registry, certificates) come as a
# secret, which stays out of the image: `docker build --secret id=npmrc,src=$HOME/.npmrc --tag accrete .`

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci
COPY . .
# Generated code and kernels; then what made them goes, and so does the Node that npm brings for older machines.
RUN node setup/prepare.mjs \
 && npm prune --omit=dev \
 && rm -rf node_modules/node-linux-*

FROM node:24-bookworm-slim
# On all interfaces it starts only when it is told who may call: ACCRETE_AUTH_CLIENTS, or ACCRETE_AUTH_ALLOW_ANYONE=true.
ENV NODE_ENV=production \
    ACCRETE_DATA=/var/lib/accrete \
    ACCRETE_LISTEN=0.0.0.0:50051 \
    ACCRETE_METRICS_LISTEN=0.0.0.0:9464
RUN install --directory --owner=node --group=node "$ACCRETE_DATA"
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/proto ./proto
COPY --from=build /app/plugins ./plugins
COPY --from=build /app/clients/cli ./clients/cli
COPY --from=build /app/server ./server
# The user `node`; as a number, so that Kubernetes can see that it is not root.
USER 1000
VOLUME /var/lib/accrete
EXPOSE 50051 9464
# Healthy means that calls are answered; a start learns the journal first, which may take longer than the start period.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["node", "--eval", \
  "fetch(`http://127.0.0.1:${process.env.ACCRETE_METRICS_LISTEN.split(':').at(-1)}/readyz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Without a shell between, SIGTERM reaches the server, which drains; `docker stop` is to wait as long as drain.timeoutMs.
ENTRYPOINT ["node", "server/main.ts"]
