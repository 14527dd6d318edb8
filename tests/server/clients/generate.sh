#!/bin/sh
# Generates the clients' code from proto/, as any user would: run it after a change there, and commit
# what it writes. Takes its tools from examples/services/generate.sh.
set -eu
cd "$(dirname "$0")"
tools="$PWD/../../../examples/services/.build/generate"
proto="$PWD/../../../proto"

rm -rf python/maestro go/maestro
"$tools/bin/python" -m grpc_tools.protoc --proto_path="$proto" \
  --python_out=python --grpc_python_out=python \
  maestro/v1/runs.proto maestro/v1/services.proto maestro/v1/workflows.proto

mapping=""
for name in runs services workflows; do
  mapping="$mapping,Mmaestro/v1/$name.proto=example.com/client/maestro/v1;maestrov1"
done
"$tools/bin/python" -m grpc_tools.protoc --proto_path="$proto" \
  --plugin="$tools/bin/protoc-gen-go" --plugin="$tools/bin/protoc-gen-go-grpc" \
  --go_out="module=example.com/client$mapping:go" --go-grpc_out="module=example.com/client$mapping:go" \
  maestro/v1/runs.proto maestro/v1/services.proto maestro/v1/workflows.proto
