#!/usr/bin/env bash
# The whole tool beside its peers, on one machine and in one invocation: `onrecord run` on a statement that lists links.
#
#   benches/ours.sh [pages] [rounds] [concurrency]     capture: beside wget, wget with gzip, four wgets, curl (default 1000 3 8)
#   benches/ours.sh crowd [small|large]                256 exchanges in flight, 50 ms before every answer, beside curl
#   benches/ours.sh big [bytes] [rounds]               one body (default 2 GiB), beside wget
#   benches/ours.sh growth 1500,15000,150000           CPU and memory by the number of pages (6.5 exchanges each)
#
# Needs the peers' harness in ../shared/bench (or ONRECORD_SHARED): origin, wget, curl. Everything is on: both digests of
# every record, WARC, catalogue, ledger, syncs. Only the ratios of one invocation mean anything.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
bench=${ONRECORD_SHARED:-$here/../shared}/bench
tool=${ONRECORD:-$here/target/release/onrecord}
export BENCHDATA=${BENCHDATA:-$HOME/.cache/onrecord-bench}
[ -x "$bench/run-peers.sh" ] || { echo "not measured: no harness in $bench" >&2; exit 1; }
[ -x "$tool" ] || { echo "not measured: build it first: cargo build --release" >&2; exit 1; }
[ -x "$BENCHDATA/bin/origin" ] || "$bench/setup-peers.sh" --minimal

run="$tool -q --archive {out}/archive --json run --allow-net 127.0.0.0/8"
case ${1:-} in
  crowd)
    "$bench/concurrency.sh" --mode "${2:-small}" --ours "$run --concurrency 256 --per-host 256 {seeds} > {out}/outcome.json" ;;
  big)
    bytes=${2:-2147483648}
    export ONRECORD_NETWORK_MAX_BODY=$((bytes + 1)) ONRECORD_NETWORK_TIMEOUT=600
    "$bench/run-peers.sh" --big "$bytes" --runs "${3:-3}" --peers wget,curl,curl+openssl --no-check \
      --ours-big "$run {bigf} > {out}/outcome.json" ;;
  growth)
    "$bench/run-peers.sh" --sizes "${2:-1500,15000,150000}" --peers ours --no-check --timeout 7200 \
      --ours "$run --concurrency {conc} --per-host {conc} {seeds} > {out}/outcome.json" ;;
  *)
    "$bench/run-peers.sh" --n "${1:-1000}" --runs "${2:-3}" --conc "${3:-8}" --peers wget,wget-gz,wget-x4,curl --no-check \
      --ours "$run --concurrency {conc} --per-host {conc} {seeds} > {out}/outcome.json" ;;
esac
