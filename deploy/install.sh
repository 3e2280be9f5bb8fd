#!/bin/sh
# Steps of the Dockerfile's first stage: `locks` installs what the lock names, `packages` the tree's own packages.
set -eu
python=/opt/hubnet/bin/python

if ls deploy/*.crt >/dev/null 2>&1; then
  cat "${PIP_CERT:-/etc/ssl/certs/ca-certificates.crt}" deploy/*.crt >/tmp/ca.pem
  export PIP_CERT=/tmp/ca.pem
fi

case $1 in
  locks)
    python3 -m venv /opt/build
    /opt/build/bin/pip install -q --only-binary :all: --require-hashes -r deploy/build.lock
    # What has no wheel is built with the locked tools, not with whatever an isolated build would fetch.
    /opt/build/bin/pip wheel -q --no-deps --no-build-isolation --require-hashes -r deploy/runtime.lock -w /tmp/locked
    # Without pip inside: the image installs nothing later.
    python3 -m venv --without-pip /opt/hubnet
    /opt/build/bin/pip --python $python install -q --no-deps --no-index /tmp/locked/*.whl
    ;;
  packages)
    # The client library's calls are written from docs/openapi, as `make setup` does it.
    /opt/build/bin/python libs/client/generate.py
    /opt/build/bin/pip wheel -q --no-deps --no-build-isolation --no-index -w /tmp/own ./libs/* ./services/*
    /opt/build/bin/pip --python $python install -q --no-deps --no-index /tmp/own/*.whl
    ;;
esac
