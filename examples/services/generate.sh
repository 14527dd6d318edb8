#!/bin/sh
# Generates everything that comes from proto/: run it after a change there, and
# commit what it writes. Nobody needs it to start the services.
#
#   services.binpb   all descriptors, for the JavaScript programs' reflection
#   python/gen       messages and stubs for the Python program
#   go/gen           the same for the Go program
#   deno/gen         typed messages for the TypeScript program
#
# Needs python3, go, node and npm. The tools are pinned here, and live in .build/.
set -eu
cd "$(dirname "$0")"
tools="$PWD/.build/generate"

[ -x "$tools/bin/python" ] || python3 -m venv "$tools"
"$tools/bin/pip" install --quiet grpcio-tools==1.85.1
npm install --silent --prefix "$tools" @bufbuild/protoc-gen-es@2.17.0
GOBIN="$tools/bin" go install google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12
GOBIN="$tools/bin" go install google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.2

protoc() {
  "$tools/bin/python" -m grpc_tools.protoc --proto_path=proto --proto_path=third_party "$@"
}
our_protos=$(cd proto && find . -name '*.proto' | sed 's|^\./||' | sort)
third_party_protos=$(cd third_party && find . -name '*.proto' | sed 's|^\./||' | sort)
python_protos="accounts/v1/accounts.proto inventory/v1/inventory.proto ledger/v1/ledger.proto money/v1/money.proto"
go_protos="payments/v1/payments.proto ledger/v1/ledger.proto money/v1/money.proto"

rm -rf python/gen go/gen deno/gen
mkdir -p python/gen go/gen deno/gen

protoc --include_imports --descriptor_set_out=services.binpb $our_protos $third_party_protos

protoc --python_out=python/gen --pyi_out=python/gen --grpc_python_out=python/gen $python_protos

# The protos don't name a Go package: where the code lives is not their business.
go_module=example.com/maestro/services
mapping=""
for proto in $go_protos; do
  directory=$(dirname "$proto")
  mapping="$mapping,M$proto=$go_module/gen/$directory;$(echo "$directory" | tr -d /)"
done
protoc --plugin="$tools/bin/protoc-gen-go" --plugin="$tools/bin/protoc-gen-go-grpc" \
  --go_out="module=$go_module$mapping:go" --go-grpc_out="module=$go_module$mapping:go" $go_protos

protoc --plugin="$tools/node_modules/.bin/protoc-gen-es" \
  --es_out="target=ts,import_extension=ts:deno/gen" $our_protos
# Generated code is neither formatted nor linted.
for file in $(find deno/gen -name '*.ts'); do
  { echo "// deno-fmt-ignore-file"; echo "// deno-lint-ignore-file"; cat "$file"; } > "$file.tmp"
  mv "$file.tmp" "$file"
done
