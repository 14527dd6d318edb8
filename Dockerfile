# The command line in a container: `docker run --rm -v "$PWD:/work" maestro run workflow.yaml`.
# The runtime comes from npm, pinned, as everywhere else in this project.
FROM node:20.20.2-bookworm-slim

ENV DENO_DIR=/maestro/.deno \
    NO_UPDATE_NOTIFIER=1
RUN npm install --global deno@2.9.3 && npm cache clean --force

WORKDIR /maestro
COPY deno.json deno.lock mod.ts ./
COPY src ./src
# Only named by deno.json: the page itself is in src, built.
COPY page/app/deno.json ./page/app/deno.json
RUN deno cache --frozen mod.ts src/cli/*.ts src/grpc/*.ts && chown -R node:node /maestro

# Not root: what a workflow may read and write is what this user may.
USER node
WORKDIR /work
ENTRYPOINT ["deno", "run", "-A", "--cached-only", "--config", "/maestro/deno.json", "/maestro/mod.ts"]
CMD ["--help"]
