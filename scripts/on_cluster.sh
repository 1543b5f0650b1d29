#!/usr/bin/env bash
# Runs a command with a Kubernetes cluster in KUBECONFIG, and prints one line instead when none can be had.
#
#   scripts/on_cluster.sh api  COMMAND...   an API server
#   scripts/on_cluster.sh node COMMAND...   and a node that runs Pods, with mizzen's image on it
#
# The cluster of KUBECONFIG is taken where that is set; it must have the image (MIZZEN_HUB/mizzen:MIZZEN_TAG) and, for
# `node`, give LoadBalancer Services an address that this machine reaches. Otherwise one is started with the tools in
# MIZZEN_CLUSTER_TOOLS (programs `up`, `down` and `image`; by default the folder shared/cluster beside this repository),
# and is gone afterwards.
set -euo pipefail
cd "$(dirname "$0")/.."

level=$1
shift
export MIZZEN_HUB=${MIZZEN_HUB:-mizzen.local} MIZZEN_TAG=${MIZZEN_TAG:-1}
[ -z "${KUBECONFIG:-}" ] || exec "$@"

skip() { echo "skipped: $*"; exit 0; }
tools=${MIZZEN_CLUSTER_TOOLS:-$PWD/../shared/cluster}
[ -x "$tools/up" ] || skip "no cluster: set KUBECONFIG, or MIZZEN_CLUSTER_TOOLS"
compgen -G "$tools/ready-*" >/dev/null || command -v go >/dev/null || skip "go is missing, with which Kubernetes is built"
[ "$level" = api ] || [ "$(id -u)" = 0 ] || skip "a node needs root"

cluster=$(mktemp -d /tmp/mizzen-cluster-XXXX)
trap '"$tools/down" --purge "$cluster" >/dev/null 2>&1 || true' EXIT
# A cluster that cannot be started here is a reason to skip; an image that cannot be built is a failure of ours.
log=$(mktemp)
started() { "$tools/up" "$@" >"$log" 2>&1 || skip "no cluster: up ended with: $(tail -n 1 "$log")"; }
built() { "$tools/image" --into "$cluster" "$@" >"$log" 2>&1 || { cat "$log"; exit 1; }; }
if [ "$level" = node ]; then
  started --node "$cluster"
  # The base: Debian with Python, made from packages. Where a registry is reached, any image with Python will do.
  built --file Containerfile --build-arg "BASE=${MIZZEN_BASE:-mizzen.local/debian:1}" \
    "$MIZZEN_HUB/mizzen:$MIZZEN_TAG" .
  # What the sample's manifest names. Port 80 is for root alone in a container of this kind.
  sample=$(mktemp -d)
  printf 'FROM %s/mizzen:%s\nUSER 0\nCMD ["httpbin", "--host", "0.0.0.0", "--port", "80"]\n' \
    "$MIZZEN_HUB" "$MIZZEN_TAG" >"$sample/Containerfile"
  built --file "$sample/Containerfile" docker.io/kennethreitz/httpbin:latest "$sample"
  rm -r "$sample"
else
  started "$cluster"
fi
rm -f "$log"
export KUBECONFIG=$cluster/kubeconfig PATH=$cluster/bin:$PATH MIZZEN_CLUSTER=$cluster
"$@"
