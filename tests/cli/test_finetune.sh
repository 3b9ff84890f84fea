# Proves: eval finetune says what it did beside what came out; the protocols are the published ones and flags change them; the
# labelled part is a share, a number or a list, the same for the same seed; a trunk's rate of 0 is another result; every refusal
# names what was found.
. "$(dirname "$0")/harness.sh"

"$protea" synth shapes -o train --n 120 --size 16 --quiet >/dev/null
"$protea" synth shapes -o test --n 40 --size 16 --seed 2 --quiet >/dev/null
"$protea" train simsiam train -o net --arch resnet18-w16 --epochs 0 --quiet >/dev/null
tune() { run eval finetune net --train train --test test --threads 1 "$@"; }
numbers() { sed 's/, "seconds.*//' out; }

tune --labels 50% --epochs 2 --json; want_code 0
for key in top1 top5 best_top1 best_top5 loss; do want_json $key '[0-9.]+'; done
want_json n_train 60; want_json n_test 40; want_json protocol '"swav-10"'; want_json labels '"50%"'; want_json epochs 2
want_json batch_size 60; want_json lr 0.01; want_json lr_head 0.2; want_json decay_epochs '\[1.2[0-9]*, 1.6[0-9]*\]'
want_json gamma 0.2; want_json augment '"crop"'
want_err "protocol swav-10: 60 labelled images (50%), 2 epochs, batches of 60, lr 0.01 of the trunk and 0.2 of the classifier"
want_err "batch-norm by the batch"
want_err "at best (epoch"
first=$(numbers)
tune --labels 50% --epochs 2 --json; want_code 0
[ "$first" = "$(numbers)" ] || fail "the same numbers for the same seed wanted: $first"
tune --labels 50% --epochs 2 --seed 8 --json; want_code 0
[ "$first" != "$(numbers)" ] || fail "other numbers for another seed wanted"
tune --labels 50% --epochs 2 --lr 0 --json; want_code 0; want_json lr '0(\.0)?'
[ "$(echo "$first" | grep -o '"loss": [0-9.]*')" != "$(grep -o '"loss": [0-9.]*' out)" ] || fail "another loss for a resting trunk wanted"

# the protocols, and what they are changed into
tune --protocol swav-1 --epochs 1 --json; want_code 0; want_json n_train 10; want_json lr 0.02; want_json lr_head '5(\.0)?'
want_json labels '"1%"'
tune --protocol lightly --labels 6 --batch-size 32 --epochs 1 --json; want_code 0; want_json n_train 60
want_json lr 0.00625; want_json lr_head 0.00625; want_json schedule '"cosine"'; want_json decay_epochs '\[\]'
tune --protocol lightly --labels 2 --epochs 3 --decay-epochs 1,2 --gamma 0.5 --test-freq 3 --lr-last-layer 0.3 --wd 1e-4 \
     --augment shift --json; want_code 0
want_json schedule '"steps"'; want_json gamma 0.5; want_json lr_head 0.3; want_json best_epoch 3; want_json wd 0.0001
want_json augment '"shift"'

# a list: images by their paths, as embed's table has them, or by their files' names
for class in train/*/; do ls "$class" | head -2 | sed "s|^|$(basename "$class")/|"; done >list.txt
tune --labels list.txt --epochs 1 --augment none --json; want_code 0; want_json n_train 20; want_json labels '"list.txt"'
grep -v '^bars/' list.txt >short.txt
refused 3 "short.txt: names no image of the class bars of train" eval finetune net --train train --test test --labels short.txt
echo "bars/none.png" >>list.txt
refused 3 "list.txt: line 21: bars/none.png is no image of train" eval finetune net --train train --test test --labels list.txt
refused 3 "nothing.txt" eval finetune net --train train --test test --labels nothing.txt
refused 3 "12 images, 13 wanted" eval finetune net --train train --test test --labels 13
refused 2 "--labels: \"0%\" found" eval finetune net --train train --test test --labels 0%
refused 2 "--protocol: \"moco\" found" eval finetune net --train train --test test --protocol moco
refused 2 "eval finetune: no --test found" eval finetune net --train train
refused 2 "pixels are no network" eval finetune pixels --train train --test test
refused 2 "works on images" eval finetune features --train train --test test
refused 2 "features" eval finetune net --train train --test test --features head
refused 6 "try lower ones" eval finetune net --train train --test test --lr 1e4 --lr-head 1e4 --epochs 20 # ends after 3 or 4

# classes and parts that are not there
cp -r test other && mv other/bars other/unknown
refused 3 "other: its class unknown is not among the 10 of the training images" eval finetune net --train train --test other
mkdir flat && cp train/bars/*.png flat
refused 3 "flat: its images have no classes" eval finetune net --train flat --test test
refused 3 "flat: its images have no classes" eval finetune net --train train --test flat
head -c 100000 net/encoder.safetensors >cut.safetensors
refused 3 "cut.safetensors" eval finetune cut.safetensors --train train --test test
"$protea" train swav train -o heads --arch resnet18-w32 --epochs 0 --quiet >/dev/null
run eval finetune heads/encoder.safetensors --train train --test test --labels 1 --epochs 1 --json; want_code 0

# a picture that cannot be read is left out and told; a signal ends it with its code
for class in train/*/; do printf 'x' >"$class/zz.png"; done
tune --labels 100% --epochs 1 --json; want_code 0; want_json n_train 120; want_err "10 of 130 images left out"
"$protea" eval finetune net --train train --test test --labels 100% --epochs 1000 >out 2>err &
pid=$!
for _ in $(seq 600); do grep -q 'protocol swav-10' err && break; sleep 0.1; done
kill -INT $pid
wait $pid
code=$?
want_code 130
finish
