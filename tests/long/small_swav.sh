# For the long proofs: the harness, and a real SwAV run that uses everything and ends in seconds. Sourced with the path of
# protea as $1. SEED=N repeats the random moments of a run of the proof.
. "$(dirname "$0")/../cli/harness.sh"
export LC_ALL=C
RANDOM=${SEED:=$$}
echo "SEED=$SEED"
data=synth:shapes,n=192,size=16
options="--threads 1 --arch resnet18-w16 --batch-size 32 --size-crops 16,12 --nmb-crops 2,2 --min-scale-crops 0.3,0.1
    --max-scale-crops 1,0.3 --nmb-prototypes 30 --hidden-mlp 64 --feat-dim 32 --queue-length 64 --epoch-queue-starts 1
    --freeze-prototypes-niters 4 --epochs 20"

# swav DIR ARGS...: trains to the end.
swav() {
    # shellcheck disable=SC2086
    run train swav $data $options -o "$@"
}
# swav_begin DIR ARGS...: the same in the background, as process $pid.
swav_begin() {
    last="protea train swav -o $*"
    # shellcheck disable=SC2086
    "$protea" train swav $data $options -o "$@" >out 2>err </dev/null &
    pid=$!
}
# signalled SIGNAL: sends it to $pid after up to a second and a half; $code is how the process ended.
signalled() {
    sleep "$(printf '%d.%03d' $((RANDOM % 2)) $((RANDOM % 750)))"
    kill "-$1" "$pid" 2>/dev/null
    code=0
    wait "$pid" 2>/dev/null || code=$?
}
