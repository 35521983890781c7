#!/usr/bin/env bash
# `onrecord cite --json`, the whole process, beside the engines of ../shared/bench/extract-bench.sh in one invocation.
#
#   benches/cite.sh [small|large] [rounds]      (default small 3; large is 1,000,000 posts, 124 MB)
#
# The peers' times are those of the extraction alone, inside their process, with nothing printed; ours is everything from
# exec to exit, ids and JSON included. Needs ../shared/bench (or ONRECORD_SHARED) with its peers (setup-peers.sh).
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
bench=${ONRECORD_SHARED:-$here/../shared}/bench
tool=${ONRECORD:-$here/target/release/onrecord}
export BENCHDATA=${BENCHDATA:-$HOME/.cache/onrecord-bench}
[ -x "$bench/extract-bench.sh" ] || { echo "not measured: no harness in $bench" >&2; exit 1; }
[ -x "$tool" ] || { echo "not measured: build it first: cargo build --release" >&2; exit 1; }
[ -x "$BENCHDATA/bin/peers-rs" ] || { echo "not measured: no peers; run $bench/setup-peers.sh" >&2; exit 1; }
"$bench/extract-bench.sh" --mode "${1:-small}" --runs "${2:-3}" --ours "$tool cite --json {file}"
