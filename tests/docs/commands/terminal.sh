# Runs the script of a page, "$1". What happens goes into files in "$DOCS_STATE".
set -euo pipefail

servers=()
declare -A lines
export DOCS_LINE=0
own=

# The line and the command that failed first.
failed() {
  [ -e "$DOCS_STATE/failure" ] || printf '%s\n%s\n' "$1" "$2" >"$DOCS_STATE/failure"
}

begin_block() {
  echo "$1" >"$DOCS_STATE/block"
  exec 8>&1 9>&2 >"$DOCS_STATE/$1.out" 2>"$DOCS_STATE/$1.err"
}

end_block() {
  exec >&8 2>&9 8>&- 9>&-
}

keep() {
  printf '%s' "$2" >"$1"
}

# Starts a server, "$2" and what follows, and waits until it answers. One that is "own" ends when the next
# starts, as somebody would see to who has one terminal for it.
terminal() {
  local kind="$1" log
  shift
  if [ -n "$own" ]; then
    stop "$own"
    own=
  fi
  log="$DOCS_STATE/terminal-${#servers[@]}.log"
  # Its exit code is asked for at the end, whoever stops it.
  "$@" >"$log" 2>&1 8>&- 9>&- </dev/null &
  servers+=("$!")
  lines["$!"]="$DOCS_LINE"
  if [ "$kind" = own ]; then own="$!"; fi
  SECONDS=0
  until answers "$log" "$@"; do
    if ! kill -0 "${servers[-1]}" 2>/dev/null; then
      failed "$DOCS_LINE" "$*"
      cat "$log" >&2
      return 1
    fi
    if [ "$SECONDS" -gt "$DOCS_PATIENCE" ]; then
      failed "$DOCS_LINE" "$*"
      echo "no answer in $SECONDS s:" >&2
      failed "$DOCS_LINE" "$*"
      cat "$log" >&2
      return 1
    fi
    sleep 0.05
  done
}

# Whether a server is there. One that builds connectors is when its first version is live.
answers() {
  local log="$1" url word
  shift
  for word in "$@"; do
    if [ "$word" = dev ]; then
      grep -q '^live ' "$log"
      return
    fi
  done
  url=$(grep -o 'listening on [^ "]*' "$log" | cut -d' ' -f3 || true)
  [ -n "$url" ] && curl -skf "$url/liveness" >/dev/null
}

# Stops a server, unless the page did, and holds it to its exit code.
stop() {
  local code=0
  kill -TERM "$1" 2>/dev/null || true
  wait "$1" || code=$?
  # 127: the page has waited for it.
  if [ "$code" != 0 ] && [ "$code" != 127 ]; then
    failed "${lines[$1]}" "the server that was started here ended with exit code $code"
    return 1
  fi
}

ended() {
  local code="$1" server
  trap - ERR
  for server in ${servers[@]+"${servers[@]}"}; do
    stop "$server" || code=1
  done
  exit "$code"
}

trap 'failed "$LINENO" "$BASH_COMMAND"' ERR
trap 'ended "$?"' EXIT
source "$DOCS_STATE/presupposed.sh"
source "$1"
