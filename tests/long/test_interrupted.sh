# Proves: a real SwAV run with its queue on, killed -9 or stopped by SIGTERM at dozens of random moments and resumed each
# time, ends with the bytes of one that never stopped: checkpoint, encoder, and one line of metrics for each epoch.
. "$(dirname "$0")/small_swav.sh"
knn="--knn-train $data --knn-test synth:shapes,n=64,size=16,seed=2 --knn-freq 4"

# shellcheck disable=SC2086
swav whole $knn; want_code 0

# interrupted SIGNAL ROUNDS CODES: runs until so many signals have met a run, each run until it ends.
interrupted() {
    local signal=$1 rounds=$2 codes=$3 met=0 runs=0
    while [ "$met" -lt "$rounds" ]; do
        rm -rf broken
        while true; do
            # shellcheck disable=SC2086
            swav_begin broken --resume $knn
            signalled "$signal"
            [ "$code" -eq 0 ] && break
            [[ " $codes " == *" $code "* ]] || fail "exit code $codes wanted"
            [ "$failures" -eq 0 ] || return
            met=$((met + 1))
        done
        runs=$((runs + 1))
        same_run whole broken
        want_no_file broken/checkpoint.safetensors.tmp
        [ "$(grep -c '"kind":"epoch"' broken/metrics.jsonl)" -eq 20 ] || fail "each epoch once in the metrics wanted"
        [ "$(grep -c knn_top1 broken/metrics.jsonl)" -eq 5 ] || fail "kNN of every fourth epoch wanted"
    done
    echo "$signal: $met signals in $runs runs"
}
interrupted KILL 60 137
interrupted TERM 40 "75 143" # 143: before anything was begun
finish
