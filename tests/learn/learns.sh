# For the tests of learning: a method learns something that labels, which it does not see, confirm. On 4,000 generated pictures, in
# a few epochs, kNN is better than with the network as it was initialised by a margin. That the margin tells a method from a broken
# one was tried by breaking each, as said beside it. Each is a test of its own, on one thread, so that two run at once.
. "$(dirname "$0")/../cli/harness.sh"
train=synth:shapes,n=4000,size=32,seed=1 test=synth:shapes,n=1000,size=32,seed=2

# knn METHOD ARGS...: top-1 of a run in $knn.
knn() {
    run train "$1" "$train" -o run --overwrite --threads 1 --knn-train "$train" --knn-test "$test" --json "${@:2}"
    want_code 0
    knn=$(grep -oE '"knn_top1": [0-9.]+' out | grep -oE '[0-9.]+$')
}
# learns METHOD MARGIN ARGS...
learns() {
    knn "$1" --epochs 0
    local untrained=$knn
    knn "$1" "${@:3}"
    echo "$1: untrained $untrained, trained $knn"
    awk -v a="$untrained" -v b="$knn" -v margin="$2" 'BEGIN { exit !(b >= a + margin) }' || fail "$2 above $untrained wanted: $knn"
}
