# Proves: every recipe of a method without labels is one that its method takes, and what it says is what a run then has; command lines
# of MoCo's and PCL's code turn the recipe of the first version into that of the second, as there.
recipes=$(cd "$(dirname "$0")/../../recipes" && pwd)
. "$(dirname "$0")/harness.sh"
data=synth:shapes,n=64,size=16

n=0
for file in "$recipes"/*.yaml; do
    name=$(basename "$file" .yaml)
    case $name in
    deepcluster-v2-*) method=deepcluster-v2 ;;
    moco-* | pcl-* | simsiam-* | swav-*) method=${name%%-*} ;;
    *) continue ;; # of supervised: test_supervised.sh
    esac
    run train "$method" $data --recipe "$name" --print-config; want_code 0
    for key in arch lr batch_size epochs; do
        value=$(sed -n "s/^$key: *\([^ ]*\).*/\1/p" "$file")
        grep -qE "^$key: \"?$value\"?( |\$)" out || fail "$key: $value wanted"
    done
    n=$((n + 1))
done
[ "$n" -ge 27 ] || fail "27 recipes wanted, $n found"

# same METHOD FROM TO FLAGS: the recipe FROM with the flags is the recipe TO, but for its name and the two flags that stand for others
same() {
    run train "$1" $data --recipe "$3" --print-config; want_code 0
    sed -E '/^(recipe|aug_plus|cos):/d' out >wanted
    run train "$1" $data --recipe "$2" --print-config "${@:4}"; want_code 0
    sed -E '/^(recipe|aug_plus|cos):/d' out >found
    cmp -s wanted found || fail "$3 wanted: $(diff wanted found | head -4 | tr '\n' ' ')"
}
same moco moco-v1 moco-v2 -a resnet50 --lr 0.03 --batch-size 256 --mlp --moco-t 0.2 --aug-plus --cos
same pcl pcl-v1 pcl-v2 -a resnet50 --lr 0.03 --batch-size 256 --temperature 0.2 --mlp --aug-plus --cos
finish
