# Proves: a run's configuration repeats it bit for bit, whatever its names are; flags beat files beat recipes, which the size of
# the images chooses; there is a bar on a terminal and nowhere else; what cannot be trained is refused with its code before
# anything is written; SIGINT and SIGUSR1 save and stop, a second SIGINT ends at once.
. "$(dirname "$0")/harness.sh"
export OMP_WAIT_POLICY=passive # threads that wait must not starve what else the machine does
small="--arch resnet18-w16 --threads 1 --batch-size 16 --size-crops 8 --nmb-crops 2 --min-scale-crops 0.3 --max-scale-crops 1
       --nmb-prototypes 8 --hidden-mlp 16 --feat-dim 8 --precision f32"
# shellcheck disable=SC2086
train() { run train swav "$@" $small; }
"$protea" synth shapes -o set --n 64 --size 12 --quiet >/dev/null

# ---- a run
train set -o a --epochs 2 --json; want_code 0
want_json method '"swav"'; want_json recipe '"swav-small"'; want_json run '"a"'; want_json epochs 2; want_json steps 8
want_json images 128; want_json precision '"f32"'; want_err "recipe swav-small"
for file in config.yaml checkpoint.safetensors encoder.safetensors metrics.jsonl train.log report.html; do want_file a/$file; done
grep -q "$(printf '\r')" err && fail "no bar wanted where no terminal is"
grep -aq '"protea.precision":"f32"' a/checkpoint.safetensors || fail "the precision wanted in the checkpoint"
run inspect a --json; want_code 0; want_json kind '"run"'; want_json epoch 2; want_json method '"swav"'; want_json image_size 12
want_json tensors '[1-9][0-9]*'; want_json parameters '[1-9][0-9]*'
run inspect a/checkpoint.safetensors --json; want_code 0; want_json kind '"checkpoint"'; want_json epoch 2
run inspect a/encoder.safetensors --json; want_code 0; want_json kind '"model"'; want_json arch '"resnet18-w16"'; want_json parameters 700176
run embed a set -o z.npy --json; want_code 0; want_json n 64; want_json dim 128
run eval knn a --train set --test synth:shapes,n=20,size=12,seed=2 --json; want_code 0; want_json n_test 20
train synth:shapes,n=64,size=12 -o zero --epochs 0 --quiet; want_code 0; want_file zero/encoder.safetensors; want_no_err
train set -o k --epochs 1 --knn-train set --knn-test set --json; want_code 0; want_json knn_top1 '[01]\.[0-9]*'

# ---- its configuration says the same again; a flag beats it; the printed one is the written one
run train --config a/config.yaml -o b --quiet; want_code 0
cmp -s a/encoder.safetensors b/encoder.safetensors || fail "config.yaml repeats the run"
cmp -s a/checkpoint.safetensors b/checkpoint.safetensors || fail "config.yaml repeats the checkpoint"
train set --epochs 2 --print-config; want_code 0; want_out "epochs: 2"
diff out a/config.yaml >/dev/null || fail "--print-config shows what config.yaml holds"
run train --config a/config.yaml --epochs 3 --print-config; want_out "epochs: 3"
printf 'epochs: 4\nlr: 0.5\n' >mine.yaml
train set --recipe mine.yaml --print-config; want_code 0; want_out "epochs: 4"; want_out "lr: 0.5"
train set --recipe mine.yaml --epochs 5 --print-config; want_out "epochs: 5"

# ---- the size of the images chooses recipe and stem; flags as SwAV's own code has them
run train swav synth:shapes,n=20,size=64 --print-config; want_code 0; want_out 'recipe: "swav-small"'; want_out "stem: small"
run train swav synth:shapes,n=20,size=80 --print-config; want_code 0; want_out 'recipe: "swav-photos"'; want_out "stem: large"
want_out "image_size: 80"
run train swav --data-path set --dump-path theirs -a resnet18-w16 -b 16 -j 0 -p 7 --base-lr 0.25 --epochs 0 --quiet; want_code 0
want_file theirs/encoder.safetensors
for line in 'arch: "resnet18-w16"' "batch_size: 16" "workers: 0" "log_freq: 7" "lr: 0.25"; do
    grep -qF -- "$line" theirs/config.yaml || fail "$line wanted in config.yaml"
done

# ---- a bar on a terminal, with rate and time left
if script -qec true /dev/null >out 2>err </dev/null; then
    last="protea train on a terminal"
    code=0
    # shellcheck disable=SC2116,SC2086
    TERM=xterm timeout 300 script -qec "'$protea' train swav set -o bar --epochs 2 $(echo $small)" /dev/null >out 2>err </dev/null || code=$?
    want_code 0
    grep -aqE '\[[#.]{24}\] +[0-9]+%  [0-9.e+]+ images/s  [0-9]+:[0-9]{2} left' out || fail "a bar wanted"
fi

# ---- refused, and nothing written
refused 2 "train swva: no such METHOD; did you mean swav?" train swva set -o n
refused 2 "--nmb-prototype: no such option; did you mean --nmb-prototypes?" train swav set -o n --nmb-prototype 3
refused 2 "no -o found" train swav set
# shellcheck disable=SC2086
refused 2 "resnet18" train swav set -o n $small --arch resnet81
refused 2 "did you mean swav-small?" train swav set -o n --recipe swav-smal
refused 3 "none.yaml" train swav set -o n --recipe ./none.yaml
refused 3 "none.yaml" train swav set -o n --config none.yaml
refused 3 "nothing" train swav nothing -o n
refused 3 "64" train swav set -o n --batch-size 100
refused 2 "crops" train swav set -o n --nmb-crops 2 2 2
printf 'lrr: 1\n' >bad.yaml
refused 2 "bad.yaml:1: lrr: no such option; did you mean lr?" train swav set -o n --config bad.yaml
printf 'verb: embed\n' >other.yaml
refused 2 "other.yaml: a configuration of" train swav set -o n --config other.yaml
refused 4 "mine.yaml" train swav set -o mine.yaml
mkdir junk && echo x >junk/file
refused 2 "junk" train swav set -o junk
want_no_file n/checkpoint.safetensors
# shellcheck disable=SC2086
refused 2 "nmb_prototypes" train swav set -o a --resume --epochs 2 $small --nmb-prototypes 9
train set -o a --resume --epochs 3 --json; want_code 0; want_json epochs 3
train set -o a --overwrite --epochs 1 --json; want_code 0; want_json epochs 1
# ---- bad images
odd=$(printf "odd\\377\\303\\244 name")
cp -r set "$odd"
train "$odd" -o "run$odd" --epochs 1 --json; want_code 0; want_json run '"runodd\\\\xffä name"'
run train --config "run$odd/config.yaml" -o again --quiet; want_code 0
cp -r set spoilt
printf 'x' >spoilt/bars/bad.png
train spoilt -o s --epochs 1; want_code 0; want_file s/skipped.tsv
grep -q 'bad.png' s/skipped.tsv || fail "skipped.tsv names the bad image"
# shellcheck disable=SC2086
refused 3 "bad" train swav spoilt -o s --overwrite --epochs 1 --max-bad 0 $small

# ---- signals (SIGTERM and kill -9: test_train_resume.sh)
begin() { # DIR EPOCHS: in the background, until its first checkpoint is there
    # shellcheck disable=SC2086
    "$protea" train swav set -o "$1" --epochs "$2" --json $small >out 2>err </dev/null &
    pid=$!
    for _ in $(seq 3000); do [ -s "$1/checkpoint.safetensors" ] && break; sleep 0.02; done
}
for signal in INT USR1; do
    begin "by$signal" 100000
    last="SIG$signal during train"
    kill "-$signal" $pid; code=0; wait $pid || code=$?
    want_code 75; want_err "--resume"; want_json method '"swav"'
    run inspect "by$signal" --json; want_code 0; want_json kind '"run"'
done
begin twice 100000
last="two SIGINTs during train"
kill -INT $pid; kill -INT $pid; code=0; wait $pid || code=$?
[ "$code" -eq 130 ] || [ "$code" -eq 75 ] || fail "exit code 130, or 75 when the step ended between the two, wanted"
run inspect twice --json; want_code 0; want_json method '"swav"'

begin abort 100000
last="SIGABRT during train"
kill -ABRT $pid; code=0; wait $pid || code=$?
want_code 134; want_err "protea: error: a defect ended this process"
[ "$(grep -c 'protea(.*\[0x' err)" -ge 1 ] || fail "the calls that led there wanted"
run inspect abort --json; want_code 0; want_json method '"swav"'

# ---- what no machine holds, and what cannot be learned from
# shellcheck disable=SC2086
refused 5 "a batch of views" train swav set -o n $small --size-crops 4096 --nmb-crops 64 --batch-size 64
refused 6 "a larger epsilon is needed" train swav set -o diverged --epochs 9 $small --epsilon 0.001 --freeze-prototypes-niters 0
run inspect diverged; want_code 0

# ---- a verb with nothing to resume ends at once, with a shell's code for the signal, and leaves no file
for signal in INT:130 TERM:143; do
    "$protea" embed a synth:shapes,n=200000,size=32 -o long.npy >out 2>err </dev/null &
    pid=$!
    last="SIG${signal%:*} during embed"
    for _ in $(seq 3000); do grep -q '^protea: ' err && break; sleep 0.02; done
    kill "-${signal%:*}" $pid; code=0; wait $pid || code=$?
    want_code "${signal#*:}"; want_err "protea: error: stopped by a signal"; want_no_file long.npy
done
finish
