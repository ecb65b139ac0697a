# InfraGym's server, for any container host and for Hugging Face Spaces (docs/SERVER.md).
# Written with care, not run: the machine it was written on has no container engine.

# The Rust toolchain, which only the first stage needs.
FROM rust:1-bookworm AS rust

# Everything that is built: the command line, the native addon, the AssemblyScript fallback.
FROM node:20-bookworm AS build
COPY --from=rust /usr/local/cargo /usr/local/cargo
COPY --from=rust /usr/local/rustup /usr/local/rustup
ENV CARGO_HOME=/usr/local/cargo RUSTUP_HOME=/usr/local/rustup \
    PATH=/usr/local/cargo/bin:$PATH
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json Cargo.toml Cargo.lock rust-toolchain.toml ./
COPY bin bin
COPY scripts scripts
COPY src src
COPY assembly assembly
COPY crates crates
COPY bindings bindings
RUN node scripts/build.mjs ts assemblyscript native

# The packages the server needs and nothing else.
FROM node:20-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:20-bookworm-slim
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json openenv.yaml ./
COPY bin bin
COPY data data
RUN mkdir /data && chown node:node /data
USER node
ENV NODE_ENV=production INFRAGYM_HOST=0.0.0.0 INFRAGYM_DATA_DIR=/data
VOLUME /data
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:7860/health').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "bin/infragym.mjs", "serve"]
