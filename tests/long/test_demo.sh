# Proves: `make demo` keeps its word: SwAV, to which no label is shown, names at least 15 in a hundred more of the new shapes than
# the untrained network does, and leaves a page with its curves and with neighbours. About a minute on two cores with bf16.
demo=$(realpath "$(dirname "$0")/../../tools/demo.sh")
. "$(dirname "$(realpath "$0")")/../cli/harness.sh"

last="tools/demo.sh"
code=0
"$demo" "$protea" runs/demo >out 2>err </dev/null || code=$?
want_code 0
tail -n 1 out
tail -n 1 out | grep -qE '^kNN top1: pixels 0\.[0-9]{3} untrained 0\.[0-9]{3} trained 0\.[0-9]{3}$' || fail "the line of three figures wanted"
tail -n 1 out | awk '{ exit !($8 >= $6 + 0.15) }' || fail "0.15 above the untrained network wanted"
grep -q 'ln K = ' runs/demo/report.html || fail "a curve of the loss wanted"
grep -q '<figure class="plot knn">' runs/demo/report.html || fail "a curve of kNN wanted"
[ "$(grep -c '<figure class="sheet">' runs/demo/report.html)" -eq 12 ] || fail "12 sheets of neighbours wanted"
finish
