# One image for every service: the all-in-one by default, the others by their entry points in docker-compose.yml.
# Node 24, the bundle and the packages that it cannot hold: no sources, no compiler, no development packages.
FROM node:24-slim AS build
WORKDIR /src
RUN npm install --global pnpm@10.34.9
COPY . .
RUN pnpm install --frozen-lockfile && pnpm exec tsc --build && node scripts/bundle.mjs
RUN pnpm --filter @edgesync/edge --prod deploy --legacy /out

FROM node:24-slim
ENV NODE_ENV=production
COPY --from=build /out /opt/edgesync
# New volumes take over who owns them.
RUN install -d -o 1000 -g 1000 /var/lib/edgesync /var/lib/edgesync-users
USER 1000:1000
WORKDIR /var/lib/edgesync
VOLUME /var/lib/edgesync /var/lib/edgesync-users
EXPOSE 59840 59841
ENTRYPOINT ["node", "/opt/edgesync/bundle/main.js"]
CMD ["/etc/edgesync/config.json5"]
