# Proves: train writes a whole run and tells about it, its health too; stopped by SIGTERM or killed -9 at any moment and resumed,
# it ends with the bytes of a run that never stopped, on one thread and on two; every refusal has its exit code and one line;
# nothing is lost on a full disk.
. "$(dirname "$0")/harness.sh"
export LC_ALL=C

data=synth:shapes,n=64,size=16
small="--threads 1 --arch resnet18-w16 --batch-size 16 --size-crops 16,12 --nmb-crops 2,2 --min-scale-crops 0.3,0.1
    --max-scale-crops 1,0.3 --nmb-prototypes 20 --hidden-mlp 32 --feat-dim 16 --queue-length 32 --epoch-queue-starts 1"
# shellcheck disable=SC2086
train() { run train swav $data $small "$@"; }

train -o whole --epochs 6 --json --knn-train $data --knn-test synth:shapes,n=32,size=16,seed=2 --knn-freq 2
want_code 0
for key in method recipe run epochs steps loss images images_per_second seconds precision knn_top1; do want_json $key '[^,}]+'; done
want_json epochs 6; want_json steps 24; want_json method '"swav"'; want_json run '"whole"'
want_err "step memory: "
for file in config.yaml checkpoint.safetensors encoder.safetensors metrics.jsonl train.log report.html; do want_file whole/$file; done
[ "$(grep -c '"kind":"epoch"' whole/metrics.jsonl)" -eq 6 ] || fail "a line of metrics for each epoch wanted"
[ "$(grep -c knn_top1 whole/metrics.jsonl)" -eq 3 ] || fail "kNN of epochs 2, 4 and 6 wanted"
grep -q "step memory" whole/train.log || fail "the log wanted in train.log"
for key in loss_over_ln_k code_entropy prototypes_used embedding_std; do
    grep -q "^health: .*$key [0-9]" whole/train.log || fail "$key wanted in train.log"
    grep -q "\"$key\":[0-9]" whole/metrics.jsonl || fail "$key wanted in metrics.jsonl"
done
want_no_file whole/skipped.tsv

# kNN and other logging change no weight; equal runs give equal bits, with loader threads too
train -o again --epochs 6; want_code 0; cmp -s whole/encoder.safetensors again/encoder.safetensors || fail "equal bits wanted"
train -o loaders --epochs 6 --workers 4; want_code 0
cmp -s whole/encoder.safetensors loaders/encoder.safetensors || fail "equal bits with 4 loader threads wanted"
run train --config again/config.yaml -o repeated; want_code 0; same_run again repeated

# on two threads as well: equal runs, and one that is killed -9 between
train -o two --epochs 6 --threads 2; want_code 0
train -o two-again --epochs 6 --threads 2; want_code 0; same_run two two-again
# shellcheck disable=SC2086
"$protea" train swav $data $small -o two-killed --epochs 6 --threads 2 >out 2>err </dev/null &
for wait in $(seq 200); do [ -s two-killed/checkpoint.safetensors ] && break; sleep 0.02; done
kill -9 $! 2>/dev/null; wait $! 2>/dev/null
train -o two-killed --epochs 6 --threads 2 --resume; want_code 0; same_run two two-killed
train -o two-again --epochs 6 --threads 1 --resume; want_code 0; want_err "threads: 2, now 1: the result will only be close"

# stopped by SIGTERM, as often as it takes
for round in 1 2 3 4 5 6 7 8 9 10 11 12; do
    # shellcheck disable=SC2086
    "$protea" train swav $data $small -o stopped --epochs 6 --resume >out 2>err </dev/null &
    sleep 0."$((RANDOM % 7 + 2))"
    kill -TERM $! 2>/dev/null
    wait $!; code=$?
    [ $code -eq 0 ] && break
    [ $code -eq 75 ] || [ $code -eq 143 ] || fail "exit code 75 wanted (143: before anything was begun)"
done
train -o stopped --epochs 6 --resume; want_code 0; same_run again stopped
want_no_file stopped/checkpoint.safetensors.tmp

# killed -9, as often as it takes
for round in 1 2 3 4 5 6 7 8 9 10 11 12; do
    # shellcheck disable=SC2086
    "$protea" train swav $data $small -o killed --epochs 6 --resume >out 2>err </dev/null &
    sleep 0."$((RANDOM % 7 + 2))"
    kill -9 $! 2>/dev/null
    wait $! 2>/dev/null
done
train -o killed --epochs 6 --resume; want_code 0; same_run again killed
want_no_file killed/checkpoint.safetensors.tmp
[ "$(grep -c '"kind":"epoch"' killed/metrics.jsonl)" -eq 6 ] || fail "each epoch once in the metrics wanted"

# an initialised network
train -o untrained --epochs 0 --json; want_code 0; want_json steps 0; want_file untrained/encoder.safetensors

# images that cannot be used: listed alike by a run that stopped
"$protea" synth shapes -o spoilt --n 64 --size 16 --quiet >/dev/null
for file in $(find spoilt -name '*.png' | sort | sed -n '3p;20p;41p'); do printf 'x' >"$file"; done
# shellcheck disable=SC2086
run train swav spoilt $small -o bad --epochs 6; want_code 0; want_err "3 of 64 images could not be used"
[ "$(wc -l <bad/skipped.tsv)" -eq 3 ] || fail "3 lines in skipped.tsv wanted"
# shellcheck disable=SC2086
"$protea" train swav spoilt $small -o badly --epochs 6 >out 2>err </dev/null &
for wait in $(seq 200); do [ -s badly/checkpoint.safetensors ] && break; sleep 0.02; done
kill -9 $!; wait $! 2>/dev/null
# shellcheck disable=SC2086
run train swav spoilt $small -o badly --epochs 6 --resume; want_code 0; same_run bad badly
cmp -s bad/skipped.tsv badly/skipped.tsv || fail "the same list of skipped images wanted"

# refusals
refused 2 "not empty" train swav $data $small -o whole --epochs 6
refused 2 "temperature" train swav $data $small -o again --epochs 6 --resume --temperature 0.3
refused 2 "--epochs 2" train swav $data $small -o again --epochs 2 --resume
refused 2 "DATA" train swav synth:shapes,n=80,size=16 $small -o again --epochs 6 --resume
refused 2 "nothing-like-it" train swav $data $small -o none --recipe nothing-like-it
want_no_file none
refused 3 "nowhere" train swav nowhere $small -o none
want_no_file none
refused 4 "/proc/nowhere" train swav $data $small -o /proc/nowhere/run
refused 2 "--knn-test" train swav $data $small -o none --knn-train $data
echo precious >notes
refused 4 "notes" train swav $data $small -o notes

# in use
# shellcheck disable=SC2086
"$protea" train swav $data $small -o busy --epochs 100000 >/dev/null 2>&1 </dev/null &
holder=$!
for wait in $(seq 100); do [ -s busy/config.yaml ] && break; sleep 0.1; done
refused 7 "$holder" train swav $data $small -o busy --epochs 6 --resume
refused 7 "$holder" train swav $data $small -o busy --epochs 6 --overwrite
kill -TERM $holder; wait $holder; code=$?; want_code 75

# a save that fails leaves what is there
(ulimit -f 100; "$protea" train swav $data $small -o again --epochs 7 --resume >out 2>err </dev/null); code=$?; want_code 4; want_one_error
same_run repeated again

# a full disk: nothing is begun that cannot be saved
if mkdir full && mount -t tmpfs -o size=4m tmpfs full 2>/dev/null; then
    refused 4 "full/run" train swav $data $small -o full/run --epochs 1
    umount full
fi
finish
