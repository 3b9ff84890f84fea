# Proves: eval knn, linear (all three protocols, from the command's own weights and orders) and svm say of one set of features what
# PyTorch and scikit-learn say of it, within the tolerances of tests/data/eval_protocols.txt (tools/oracle/eval_protocols.py).
data=$(cd "$(dirname "$0")/../data" && pwd)
. "$(dirname "$0")/harness.sh"

# The table that embed would have written.
table() { # table NAME
    cp "$data/knn/$1.npy" "$1.npy"
    echo row,path,label,class >"$1.csv"
    tail -c +129 "$data/knn/$1-labels.npy" | od -An -v -t d4 -w4 | awk '{ printf "%d,%d.png,%d,c%02d\n", NR - 1, NR - 1, $1, $1 }' >>"$1.csv"
}
table train
table test
[ "$(wc -l <train.csv)" = 351 ] && [ "$(wc -l <test.csv)" = 251 ] || fail "350 and 250 labels wanted"

# value KEY: of the one object on stdout; the first of a list, or of what the first rate of a sweep has.
value() { grep -o "\"$1\": *\[*[-0-9.e+]*" out | head -1 | sed 's/.*[[ ]//'; }

lines=0
while IFS='|' read -r words wanted; do
    # shellcheck disable=SC2086
    set -- $words
    protocol=$1
    shift
    run eval "$protocol" features --train train.npy --test test.npy --json "$@"; want_code 0
    # shellcheck disable=SC2086
    set -- $wanted
    while [ $# -ge 3 ]; do
        awk -v a="$(value "$1")" -v b="$2" -v t="$3" 'BEGIN { exit !(a != "" && a - b <= t && b - a <= t) }' ||
            fail "$1 within $3 of $2 wanted, $(value "$1") found"
        shift 3
    done
    lines=$((lines + 1))
done <"$data/eval_protocols.txt"
[ "$lines" = 6 ] || fail "6 lines of reference values wanted, $lines found"
finish
