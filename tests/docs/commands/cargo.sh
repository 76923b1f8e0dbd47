#!/usr/bin/env bash
# Stands in for cargo on a page: the program is built, what takes long is only noted, the rest is real.
set -euo pipefail

case "$*" in
  "test" | "test "* | "bench" | "bench "* | "install "* | "fuzz "*)
    printf '%s\0' "$DOCS_LINE" "$@" >>"$DOCS_STATE/noted"
    printf '\n' >>"$DOCS_STATE/noted"
    ;;
  "run --release -- "*)
    exec "$DOCS_ROOT/target/release/airlock" "${@:4}"
    ;;
  "build --release")
    # That of a project is real.
    [ "$PWD" = "$DOCS_ROOT" ] || exec "$DOCS_CARGO" "$@"
    ;;
  "run -p "*)
    # With what the tests have built.
    export CARGO_TARGET_DIR="$DOCS_TARGET"
    exec "$DOCS_CARGO" run --quiet --manifest-path "$DOCS_REPOSITORY/Cargo.toml" "${@:2}"
    ;;
  *)
    exec "$DOCS_CARGO" "$@"
    ;;
esac
