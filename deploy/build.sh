#!/usr/bin/env bash
# Builds an image where there is no Docker and no registry, and tries it: bash deploy/build.sh lean|whole
#
# As root, with buildah and debootstrap of Debian's. The base is a Debian that debootstrap makes; what Docker would take
# from a registry under the same name has the same packages. Then the service is started in it as its own user, asked,
# and stopped. Options for `buildah build` (volumes with pip's configuration, build arguments) come after the target.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
target=$1; shift
base=docker.io/library/debian:bookworm-slim
image=aim-memory:$target
export STORAGE_DRIVER=${STORAGE_DRIVER:-vfs} BUILDAH_ISOLATION=chroot
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

make_base() {
    debootstrap --variant=minbase --include=ca-certificates bookworm "$work/debian" >&2
    rm -rf "$work"/debian/var/cache/apt/archives/*.deb "$work"/debian/var/lib/apt/lists/* \
        "$work"/debian/usr/share/{doc,man,locale}/*
    local made; made=$(buildah from scratch)
    buildah add --quiet "$made" "$work/debian" / >&2
    buildah commit --quiet --rm "$made" "$base" >&2
}

# lean has no embedder of its own: it is tried with the one that needs no model.
embedder=sentence-transformers; [ "$target" = whole ] || embedder=hashing
inside() { buildah run --user 10001:10001 --env "AIM_EMBEDDER__KIND=$embedder" "$container" -- "$@"; }

buildah inspect --type image "$base" > /dev/null 2>&1 || make_base
buildah build --pull-never --layers --format docker --file deploy/Dockerfile --target "$target" --tag "$image" "$@" .
buildah images --format '{{.Name}}:{{.Tag}} {{.Size}}' | grep "$target"

container=$(buildah from --pull-never "$image")
trap 'buildah rm "$container" > /dev/null; rm -rf "$work"' EXIT
inside id -u
if inside aimem serve; then echo "it listens to everybody without a key" >&2; exit 1; fi
key=$(inside aimem keys create try --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["key"])')
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
inside timeout --signal TERM 45 aimem serve --port "$port" & serving=$!
for _ in $(seq 60); do curl --silent --fail "http://127.0.0.1:$port/health/ready" > /dev/null && break; sleep 1; done
ask() { curl --silent --fail --header "Authorization: Bearer $key" --json "$2" "http://127.0.0.1:$port$1"; echo; }
ask /v1/memories '{"namespace": "user/ada", "text": "My dentist is Dr. Okafor."}'
ask /v1/answer '{"namespace": "user/ada", "query": "Who is my dentist?"}' | grep --only-matching '"answer":"[^"]*"'
ended=0; wait "$serving" || ended=$?
[ "$ended" = 124 ] || { echo "it did not stop in order: $ended" >&2; exit 1; }  # timeout's word for having told it to
echo "$image: built, served as its own user, stopped"
