# For the tests of the command. Sourced with the path of protea as $1; each test runs in an empty directory of its own.
set -u
protea=$(realpath "$1")
place=$(mktemp -d "${TMPDIR:-/tmp}/protea-cli-XXXXXX")
trap 'chmod -R u+w "$place"; rm -rf "$place"' EXIT
cd "$place" || exit 1
failures=0

# run ARGS...: the command with its exit code in $code, its output in the files out and err.
run() {
    last="protea $*"
    code=0
    timeout 300 "$protea" "$@" >out 2>err </dev/null || code=$?
}

# A file's beginning and end.
ends_of() {
    [ -e "$1" ] || return 0
    if [ "$(wc -c <"$1")" -le 2400 ]; then cat "$1"; else head -c 600 "$1"; printf ' [...] '; tail -c 1800 "$1"; fi
}

fail() {
    failures=$((failures + 1))
    printf 'FAILED: %s\n  %s\n  exit code %s\n  stdout: %s\n  stderr: %s\n' "$last" "$1" "$code" "$(ends_of out)" "$(ends_of err)"
}

want_code() { [ "$code" -eq "$1" ] || fail "exit code $1 wanted"; }
want_out() { grep -qF -- "$1" out || fail "on stdout wanted: $1"; }
want_err() { grep -qF -- "$1" err || fail "on stderr wanted: $1"; }
want_no_out() { [ ! -s out ] || fail "nothing wanted on stdout"; }
want_no_err() { [ ! -s err ] || fail "nothing wanted on stderr"; }
want_file() { [ -s "$1" ] || fail "file wanted: $1"; }
want_no_file() { [ ! -e "$1" ] || fail "not wanted: $1"; }
# One line that starts with "protea: error: ", and nothing on stdout; what went before it may only be messages.
want_one_error() {
    want_no_out
    [ "$(grep -c '^protea: error: ' err)" -eq 1 ] || fail "one line of error wanted"
    [ "$(grep -vc '^protea: ' err)" -eq 0 ] || fail "only messages wanted on stderr"
}
# refused CODE TEXT ARGS...: the command fails with that code and one line that holds TEXT.
refused() {
    local want=$1 text=$2
    shift 2
    run "$@"
    want_code "$want"
    want_err "$text"
    want_one_error
}
# The JSON value of a key of the one object on stdout, compared as text.
want_json() { grep -qE "\"$1\": $2[,}]" out && [ "$(wc -l <out)" -eq 1 ] || fail "on stdout wanted: one object with \"$1\": $2"; }

# same_run A B: both runs ended with the same bytes.
same_run() {
    cmp -s "$1/checkpoint.safetensors" "$2/checkpoint.safetensors" || fail "$2: the checkpoint of $1 wanted"
    cmp -s "$1/encoder.safetensors" "$2/encoder.safetensors" || fail "$2: the encoder of $1 wanted"
}

finish() {
    [ "$failures" -eq 0 ] || { echo "$failures failed"; exit 1; }
    echo "all good"
}
