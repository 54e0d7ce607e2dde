# The server as an image: `docker build --tag accrete .`
# Packages come from the registry that npm knows; settings of your own (another registry, certificates) come as a
# secret, which stays out of the image: `docker build --secret id=npmrc,src=$HOME/.npmrc --tag accrete .`

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci
COPY . .
# Generated code, kernels and the package; then what made them goes, and so does the Node that npm brings for older machines.
RUN node setup/prepare.mjs \
 && node setup/package.mjs --unpacked \
 && npm prune --omit=dev \
 && rm -rf node_modules/node-linux-*

FROM node:24-bookworm-slim
# On all interfaces it starts only when it is told who may call: ACCRETE_AUTH_CLIENTS, or ACCRETE_AUTH_ALLOW_ANYONE=true.
ENV NODE_ENV=production \
    NODE_COMPILE_CACHE=/app/compile-cache \
    MALLOC_ARENA_MAX=2 \
    ACCRETE_DATA=/var/lib/accrete \
    ACCRETE_LISTEN=0.0.0.0:50051 \
    ACCRETE_METRICS_LISTEN=0.0.0.0:9464
WORKDIR /app
COPY --from=build /app/build/package ./
COPY --from=build /app/node_modules ./node_modules
# The package's own name, for plugins that are mounted; then one start and one probe, so that what they compile is in the image: its root may be read-only.
RUN install --directory --owner=node --group=node "$ACCRETE_DATA" /run/accrete \
 && ln -s /app/bin/accrete.mjs /usr/local/bin/accrete \
 && ln -s /app node_modules/accrete \
 && sh warm.sh
# The user `node`; as a number, so that Kubernetes can see that it is not root.
USER 1000
VOLUME /var/lib/accrete
EXPOSE 50051 9464
# Healthy means that calls are answered; a start learns the journal first, which may take longer than the start period.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["accrete", "health"]
# Without a shell between, SIGTERM reaches the server, which drains; `docker stop` is to wait as long as drain.timeoutMs.
ENTRYPOINT ["node", "server/main.js"]
