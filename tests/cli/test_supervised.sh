# Proves: train supervised writes a model that predict uses; a run that was killed and resumed ends with the bytes of one that
# never stopped, the chosen model too; domains, a holdout, an encoder and every refusal work as their help says.
. "$(dirname "$0")/harness.sh"
export LC_ALL=C

data=synth:shapes,n=600,size=12
other=synth:shapes,n=200,size=12,seed=2
small="--threads 1 --arch resnet18-w16 --batch-size 20 --lr 0.02 --pad 0.1"
# shellcheck disable=SC2086
train() { run train supervised $data $small "$@"; }
same_run() {
    for file in checkpoint encoder model; do
        cmp -s "$1/$file.safetensors" "$2/$file.safetensors" || fail "$2: the $file of $1 wanted"
    done
}

train -o whole --epochs 5 --json
want_code 0
for key in val_accuracy best_epoch; do want_json $key '[0-9.]+'; done
want_json classes 10; want_json recipe '"supervised-small"'; want_json steps 135
want_err "540 images to train on, the others held out"
want_err "val accuracy 0."
[ "$(grep -c '"val_accuracy"' whole/metrics.jsonl)" -eq 5 ] || fail "a validation in each epoch wanted"
grep -q 'Validation accuracy' whole/report.html || fail "the curve in the report wanted"
# the model kept is that of the best epoch, the first of equals
best=$(sed -n 's/.*"epoch":\([0-9]*\),.*"val_accuracy":\([0-9.]*\).*/\2 \1/p' whole/metrics.jsonl | sort -k1,1gr -k2,2n | head -1)
want_json best_epoch "${best#* }"
run inspect whole/model.safetensors; want_code 0; want_out "epoch       ${best#* }"

# killed -9 and stopped, as often as it takes
for signal in 9 TERM 9 9 TERM 9; do
    # shellcheck disable=SC2086
    "$protea" train supervised $data $small -o killed --epochs 5 --resume >out 2>err </dev/null &
    sleep 0."$((RANDOM % 7 + 3))"
    kill -$signal $! 2>/dev/null
    wait $! 2>/dev/null
done
train -o killed --epochs 5 --resume; want_code 0; same_run whole killed
[ "$(grep -c '"val_accuracy"' killed/metrics.jsonl)" -eq 5 ] || fail "each validation once wanted"

# predict: better than chance on images never seen; a table with a row for each image
run predict whole $other -o classes.csv --json --top 2
want_code 0; want_json n 200; want_json skipped 0; want_json file '"classes.csv"'
awk -F'"accuracy": ' '{ split($2, a, ","); exit !(a[1] > 0.2) }' out || fail "an accuracy above chance wanted"
[ "$(wc -l <classes.csv)" -eq 201 ] || fail "201 lines wanted"
[ "$(head -1 classes.csv)" = row,path,label,class,predicted,probability,predicted_2,probability_2 ] || fail "another header wanted"
awk -F, 'NR > 1 && !($6 >= $8 && $6 <= 1 && $5 != $7) { exit 1 }' classes.csv || fail "the most probable class first wanted"
awk -F, 'NR > 1 { right += $4 == $5 } END { printf "%.10g", right / (NR - 1) }' classes.csv >right
grep -q "\"accuracy\": $(cat right)" out || fail "the table's share of right ones wanted: $(cat right)"
run predict whole/model.safetensors $other -o again.csv --top 2; want_code 0
cmp -s classes.csv again.csv || fail "the same table from the file wanted"
run predict whole $other -o none.csv --no-labels --json; want_code 0
grep -q accuracy out && fail "no accuracy without labels wanted"
"$protea" synth shapes -o spoilt --n 20 --size 12 --quiet >/dev/null
printf x >"$(find spoilt -name '*.png' | sort | head -1)"
run predict whole spoilt -o spoilt.csv --json; want_code 0; want_json n 19; want_json skipped 1
run embed whole $other -o z.npy --json; want_code 0; want_json dim 128

# two domains with a part of the classes each; batches are shared; sampling with replacement; mixed and smoothed targets
"$protea" synth shapes -o art --n 60 --size 12 --quiet >/dev/null
"$protea" synth shapes -o photo --n 200 --size 12 --seed 3 --quiet >/dev/null
rm -r art/bars photo/ring
# shellcheck disable=SC2086
run train supervised art photo $small -o domains --epochs 2 --steps-per-epoch 6 --replacement --val-freq 2 --holdout 0.2 \
    --mixup 0.2 --label-smoothing 0.1 --json
want_code 0; want_json steps 12; want_json classes 10
[ "$(grep -c '"val_accuracy"' domains/metrics.jsonl)" -eq 1 ] || fail "one validation wanted"
# shellcheck disable=SC2086
run train --config domains/config.yaml -o repeated; want_code 0; same_run domains repeated
# shellcheck disable=SC2086
run train supervised art $small -o all --epochs 1 --batch-size 10 --holdout 0 --json; want_code 0; want_file all/model.safetensors
grep -q val_accuracy out && fail "no validation without a holdout wanted"
run predict all art/../art -o all.csv; want_code 0
refused 3 "its class bars is not among the 9" predict all photo -o none.csv

# how much is held out: a tenth, of several DATA a fifth of each, or what is asked for
train --print-config; want_code 0; want_out "holdout: 0.1 "
# shellcheck disable=SC2086
run train supervised art photo $small --print-config; want_code 0; want_out "holdout: 0.2 "
train --holdout 0.3 --print-config; want_code 0; want_out "holdout: 0.3 "
# shellcheck disable=SC2086
refused 2 "--holdout -0.5: wanted a share from 0 to 0.9, or -1" train supervised art $small -o none --holdout -0.5
# shellcheck disable=SC2086
run train supervised art photo $small -o fifth --epochs 0 --json; want_code 0
want_err "189 images to train on, the others held out" # of 9 classes of 6 and 9 of 20 images: 5 and 16 of each

# labels without names are the numbers of the model's classes
"$protea" corrupt brightness "synth:shapes,n=30,size=12" -o numbers.npy --severity 1 --quiet >/dev/null
run predict whole numbers.npy -o named.csv; want_code 0
rm numbers-classes.txt
run predict whole numbers.npy -o numbered.csv; want_code 0
[ "$(cut -d, -f5,6 named.csv)" = "$(cut -d, -f5,6 numbered.csv)" ] || fail "equal predictions wanted"
run predict whole numbers.npy -o numbered.csv --json; want_json accuracy '[0-9.]+'

# the other recipes, made small
for recipe in erm-dg supervised-photos supervised-pacs; do
    run train supervised art photo --recipe $recipe --threads 1 --arch resnet18-w16 --image-size 16 --batch-size 16 --epochs 1 \
        --steps-per-epoch 2 -o small-$recipe --json
    want_code 0; want_json steps 2; want_json recipe "\"$recipe\""; want_json val_accuracy '[0-9.]+'
done

# from a pre-trained encoder: its network and its weights
# shellcheck disable=SC2086
run train swav $data --threads 1 --arch resnet18-w16 --stem large --normalize data --epochs 0 -o encoder; want_code 0
train --arch resnet18-w16 --encoder encoder --epochs 0 -o tuned; want_code 0
cmp -s <(tail -c 100000 encoder/encoder.safetensors) <(tail -c 100000 tuned/encoder.safetensors) || fail "the encoder's weights wanted"
grep -q '^stem: large' tuned/config.yaml || fail "the encoder's stem wanted"
# shellcheck disable=SC2086
refused 2 "has resnet18-w16" train supervised $data --arch resnet18-w32 --encoder encoder -o none
refused 2 "raw images have no weights" train supervised $data --encoder pixels -o none
refused 3 "nowhere" train supervised $data --encoder nowhere -o none

# refusals
mkdir flat && cp photo/bars/*.png flat
refused 3 "its images have no classes" train supervised flat -o none
refused 2 "a multiple of the 2 domains" train supervised art photo --batch-size 21 -o none
refused 2 "swav: takes one DATA" train swav art photo -o none
refused 2 "1 wanted" train supervised art --nmb-crops 2 --batch-size 10 -o none
refused 2 "label_smoothing" train supervised $data $small -o whole --epochs 5 --resume --label-smoothing 0.1
refused 3 "holds no classifier" predict encoder $other -o none.csv
refused 3 "pixels" predict pixels $other -o none.csv
refused 4 "/proc/none.csv" predict whole $other -o /proc/none.csv
want_no_file none
want_no_file none.csv.tmp
finish
