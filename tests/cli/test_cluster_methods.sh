# Proves: DeepCluster-v2 and PCL train from a command line; stopped by SIGTERM or killed -9 at any moment and resumed, they end with
# the bytes of a run that never stopped, whatever the loader threads; their heads embed; old flags are taken; what cannot work
# is refused before anything is written, with what can.
. "$(dirname "$0")/harness.sh"
export LC_ALL=C

data=synth:shapes,n=64,size=16
small="--threads 1 --arch resnet18-w16 --batch-size 16 --size-crops 16 --nmb-crops 2 --min-scale-crops 0.3 --max-scale-crops 1
    --epochs 5 --lr 0.001"
deepcluster="--nmb-prototypes 12,9,12 --hidden-mlp 32 --feat-dim 16"
pcl="--low-dim 16 --pcl-r 32 --proto-r 8 --num-cluster 25,40 --warmup-epoch 1 --bn-splits 4"

# resumes METHOD FLAGS: a whole run, one with loader threads, and one that is interrupted until it is done
resumes() {
    local method=$1
    shift
    # shellcheck disable=SC2086
    run train "$method" $data $small "$@" -o "$method"; want_code 0; want_file "$method/encoder.safetensors"
    # shellcheck disable=SC2086
    run train "$method" $data $small "$@" -o "$method-loaders" --workers 3; want_code 0
    cmp -s "$method/encoder.safetensors" "$method-loaders/encoder.safetensors" || fail "equal bits with loader threads wanted"
    for signal in TERM KILL TERM KILL TERM KILL; do
        # shellcheck disable=SC2086
        "$protea" train "$method" $data $small "$@" -o "$method-cut" --resume >out 2>err </dev/null &
        sleep 0."$((RANDOM % 7 + 2))"
        kill -$signal $! 2>/dev/null
        wait $! 2>/dev/null
    done
    # shellcheck disable=SC2086
    run train "$method" $data $small "$@" -o "$method-cut" --resume; want_code 0
    cmp -s "$method/checkpoint.safetensors" "$method-cut/checkpoint.safetensors" || fail "the checkpoint of a run never cut wanted"
    run embed "$method" $data -o "$method.npy" --features head --json; want_code 0; want_json dim 16
}
# shellcheck disable=SC2086
resumes deepcluster-v2 $deepcluster
for key in acc_proto clusters_used largest_cluster; do grep -q "\"$key\":" deepcluster-v2/metrics.jsonl || fail "$key in the metrics wanted"; done
# shellcheck disable=SC2086
resumes pcl $pcl
for key in acc_proto proto_loss phi_min phi_max; do grep -q "\"$key\":" pcl/metrics.jsonl || fail "$key in the metrics wanted"; done

# images go to the prototypes of the first head, or granularity; before the first clustering there are none
run cluster deepcluster-v2 $data -o dc-clusters --json; want_code 0; want_json by '"prototypes"'; want_json k 12; want_json n 64
run cluster pcl $data -o pcl-clusters --json; want_code 0; want_json by '"prototypes"'; want_json k 25; want_json n 64
# shellcheck disable=SC2086
run train pcl $data $small $pcl -o warm --warmup-epoch 9; want_code 0
refused 3 "warm: holds no prototypes" cluster warm $data -o warm-clusters --by prototypes

# in the middle of an epoch
# shellcheck disable=SC2086
run train pcl $data $small $pcl -o minutes --max-minutes 0.05 --epochs 1000; want_code 0

# the authors' flags
# shellcheck disable=SC2086
run train pcl $data $small --exp-dir flags -a resnet18-w16 -b 16 --lr 0.03 --cos --mlp --aug-plus --low-dim 16 --pcl-r 32 --moco-m 0.9 \
    --temperature 0.2 --num-cluster 30,40 --warmup-epoch 1 --lr-warmup-epochs 1 --draw-with-replacement --epochs 2 \
    --dist-url tcp://localhost:10001 --multiprocessing-distributed --world-size 1 --rank 0
want_code 0; grep -q "warmup_epoch: 1" flags/config.yaml || fail "warmup_epoch wanted in config.yaml"
want_err "--dist-url has no meaning here"; want_err "--rank has no meaning here"; want_err "batch_size is the whole step's"

# shellcheck disable=SC2086
refused 2 "at most 9 wanted" train pcl $data $small $pcl -o none --proto-r 10; want_no_file none
# shellcheck disable=SC2086
refused 2 "as many clusters as images" train pcl $data $small $pcl -o none --num-cluster 65; want_no_file none
# shellcheck disable=SC2086
refused 2 "at most 64" train deepcluster-v2 $data $small $deepcluster -o none --nmb-prototypes 65; want_no_file none
finish
