#!/usr/bin/env bash
# The whole tool beside its peers, on one machine and in one invocation: `onrecord run` on a statement that lists links.
#
#   benches/ours.sh [side] [pages] [rounds] [concurrency]  beside wget, wget with gzip, four wgets and curl (1000 3 8)
#   benches/ours.sh crowd [pages]                          256 exchanges in flight, 50 ms before every answer, beside curl (1000)
#   benches/ours.sh big [bytes] [rounds]                   one body (2 GiB, 3 rounds), beside wget and curl
#   benches/ours.sh growth [pages,pages,…]                 CPU and memory by the number of pages (1500,15000)
#   benches/ours.sh many [links,links,…]                   the same by the number of links to one short body (1000,8000,60000)
#
# Needs wget, curl and python3, nothing from the network. It builds the tool and the loopback web unless ONRECORD and ORIGIN name
# them. Everything is on: both digests of every record, WARC, catalogue, ledger, syncs. Only the ratios of one invocation
# mean anything. BENCH_TMP is where the archives are written and removed again, PORT the web's port (8470).
set -euo pipefail
cd "$(dirname "$0")/.."
for needed in wget curl python3; do
  command -v "$needed" >/dev/null || { echo "not measured: $needed is not installed" >&2; exit 1; }
done
if [ -z "${ONRECORD:-}" ]; then
  cargo build --release --bin onrecord
  ONRECORD=$PWD/target/release/onrecord
fi
if [ -z "${ORIGIN:-}" ]; then
  ORIGIN=$(cargo build --release --bench origin --message-format=json | grep -o '"executable":"[^"]*/origin-[^"]*"' | tail -1 | cut -d'"' -f4)
fi
case ${1:-side} in
  side | crowd | big | growth | many) what=${1:-side}; [ $# = 0 ] || shift ;;
  [0-9]*) what=side ;;
  *) sed -n '2,/^set/{/^set/!s/^# \{0,1\}//p}' "$0"; exit 2 ;;
esac
export ONRECORD ORIGIN
exec python3 benches/ours.py "$what" "$@"
