#!/bin/sh
# Generates the messages that Maestro itself reads and writes: its own API (proto/), google.rpc's
# error details, server reflection, health. Run it after a change of a .proto or of protoc-gen-es,
# and commit what it writes. Takes its tools and most of its .proto files from
# examples/services/generate.sh.
set -eu
cd "$(dirname "$0")"
services=../../examples/services
tools="$services/.build/generate"

"$tools/bin/python" -m grpc_tools.protoc \
  --plugin="$tools/node_modules/.bin/protoc-gen-es" \
  --proto_path=proto --proto_path="$services/third_party" --proto_path=../../proto \
  --es_out="target=ts,import_extension=ts:." \
  google/rpc/code.proto google/rpc/status.proto google/rpc/error_details.proto \
  grpc/reflection/v1/reflection.proto grpc/reflection/v1alpha/reflection.proto \
  grpc/health/v1/health.proto \
  maestro/v1/runs.proto maestro/v1/services.proto maestro/v1/workflows.proto

for file in $(find google grpc maestro -name '*.ts'); do
  { echo "// deno-fmt-ignore-file"; echo "// deno-lint-ignore-file"; cat "$file"; } > "$file.tmp"
  mv "$file.tmp" "$file"
done
