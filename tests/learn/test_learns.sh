# Proves: a method learns something that labels, which it does not see, confirm: in some 25 seconds, on 4,000 generated pictures, kNN
# is better than with the network as it was initialised by a margin. That the margin tells a method from a broken one was tried
# by breaking each, as said beside it.
. "$(dirname "$0")/../cli/harness.sh"
train=synth:shapes,n=4000,size=32,seed=1 test=synth:shapes,n=1000,size=32,seed=2

# knn METHOD ARGS...: top-1 of a run in $knn.
knn() {
    run train "$1" "$train" -o run --overwrite --knn-train "$train" --knn-test "$test" --json "${@:2}"
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

# 0.238, then 0.417; with the codes of other images the run ends as collapsed.
learns swav 0.08 --epochs 6
# 0.238, then 0.343; with keys in another order than their queries 0.189, and the run says that it has collapsed.
learns moco 0.06 --epochs 6
# 0.180, then 0.255; with each view predicting itself instead of the other, 0.171.
learns simsiam 0.04 --epochs 8
# 0.238, then 0.364; with the clusters of other images, others for each view, 0.132.
learns deepcluster-v2 0.06 --epochs 8
# 0.238, then 0.331; with keys in another order than their queries the run ends as collapsed.
learns pcl 0.05 --epochs 6
finish
