# Proves: embed writes one row an image in the set's order with a table that says which; kNN of images and of the files that
# embed wrote agree; broken models and data are refused in one line with their codes.
. "$(dirname "$0")/harness.sh"

"$protea" synth shapes -o train --n 200 --quiet >/dev/null
"$protea" synth shapes -o test --n 60 --seed 2 --quiet >/dev/null

run embed pixels test -o z.npy --json; want_code 0; want_json n 60; want_json dim 3072; want_json file '"z.npy"'
want_file z.npy; want_file z.csv
[ "$(wc -l <z.csv)" -eq 61 ] || fail "a line for the names and 60 rows wanted"
[ "$(head -1 z.csv)" = "row,path,label,class" ] || fail "row,path,label,class wanted"
grep -q '^0,.*bars/000000.png,0,bars$' z.csv || fail "the first image is bars/000000.png"
header=$(($(wc -c <z.npy) - 60 * 3072 * 4))
[ "$header" -ge 64 ] && [ "$header" -le 256 ] && [ $((header % 64)) = 0 ] || fail "60 rows of 3072 f32 wanted"
cp z.npy before.npy
run embed pixels test -o z.npy --threads 1; want_code 0
cmp -s z.npy before.npy || fail "1 thread gives the same features"

run eval knn pixels --train train --test test --json; want_code 0; want_json k 200; want_json n_train 200; want_json n_test 60
top1=$(grep -o '"top1": [0-9.]*' out)
run embed pixels train -o ztrain.npy; want_code 0
run eval knn features --train ztrain.npy --test z.npy --json; want_code 0
[ "$top1" = "$(grep -o '"top1": [0-9.]*' out)" ] || fail "kNN of files is kNN of images: $top1"
run eval knn pixels --train train --test train --k 1 --json; want_code 0; want_json top1 '1(\.0)?'
run eval knn pixels --train synth:shapes,n=100 --test test --limit 20 --json; want_code 0; want_json n_train 20; want_json n_test 20

run eval knn pixels --train train --test test --k 20,200 --temperature 0.1,0.07 --json; want_code 0
want_json k '\[20, 20, 200, 200\]'; want_json temperature '\[0.10*, 0.070*, 0.10*, 0.070*\]'
[ "${top1#*: }" = "$(sed 's/.*"top1": \[\([^]]*\).*/\1/' out | cut -d, -f3 | tr -d ' ')" ] || fail "k 200 of several is k 200 alone: $top1"
run eval knn pixels --train train --test test --metric euclidean --k 5 --json; want_code 0; want_json temperature null
want_json metric '"euclidean"'; want_json top1 '0\.[0-9]*'

# A network: features of a data set do not depend on who asks for them.
run train simsiam train -o net --arch resnet18-w16 --epochs 0 --quiet; want_code 0
run embed net train -o ntrain.npy; want_code 0
run embed net test -o ntest.npy; want_code 0
run eval knn net --train train --test test --json; want_code 0
top1=$(grep -o '"top1": [0-9.]*' out)
run eval knn features --train ntrain.npy --test ntest.npy --json; want_code 0
[ "$top1" = "$(grep -o '"top1": [0-9.]*' out)" ] || fail "kNN of a network's files is kNN of its images: $top1"

# --limit takes the images that embed takes
run embed net train -o ltrain.npy --limit 50 --json; want_code 0; want_json n 50
run embed net test -o ltest.npy --limit 50; want_code 0
run eval knn net --train train --test test --limit 50 --json; want_code 0; want_json n_train 50; want_json n_test 50
top1=$(grep -o '"top1": [0-9.]*' out)
run eval knn features --train ltrain.npy --test ltest.npy --json; want_code 0
[ "$top1" = "$(grep -o '"top1": [0-9.]*' out)" ] || fail "kNN of the files of so many is kNN of so many images: $top1"

refused 2 "--train" eval knn pixels
refused 2 "--k: 2.5 found" eval knn pixels --train train --test test --k 2.5
refused 2 "knn" eval kn pixels --train train --test test
run eval linear pixels --train train --test train --epochs 60 --sweep 0.1,0.01 --json; want_code 0
want_json n_train 200; want_json protocol '"swav"'; want_json epochs 60; want_json batch_size 200
for key in top1 top5 best_top1 best_top5; do want_json $key '[01]\.[0-9]*'; done
rates=$(grep -o '"best_epoch"' out | wc -l)
[ "$rates" = 3 ] || fail "the best and two rates wanted, $rates found"
run eval linear features --train z.npy --test z.npy --protocol simsiam --epochs 2 --json; want_code 0; want_json top5 '[01]\.[0-9]*'
want_json augment '"none"'
run eval linear net --train train --test test --epochs 2 --json; want_code 0
cached=$(grep -o '"loss": [0-9.e-]*' out)
run eval linear net --train train --test test --epochs 2 --augment crop --json; want_code 0; want_json augment '"crop"'
fresh=$(grep -o '"loss": [0-9.e-]*' out)
[ "$cached" != "$fresh" ] || fail "another loss of fresh views wanted"
run eval linear net --train train --test test --epochs 2 --augment crop --json; want_code 0
[ "$fresh" = "$(grep -o '"loss": [0-9.e-]*' out)" ] || fail "the same loss for the same seed wanted: $fresh"
refused 2 "--augment crop: wanted a model and images" eval linear features --train z.npy --test z.npy --augment crop
run eval clusters pixels --train train --test train --k 200 --seeds 1 --json; want_code 0 # each image a cluster of its own
want_json k 200; want_json nmi '0\.[0-9]*'; want_json ari '0(\.0)?'; want_json seeds 1
run eval clusters features --train z.npy --test z.npy --seeds 3 --json; want_code 0; want_json classes 10; want_json acc '0\.[0-9]*'
# settings beside the result; equal calls and one thread give equal results
want_json seed 31; want_json niter 100; want_json nredo 3; want_json normalize_features true
cp out first
run eval clusters features --train z.npy --test z.npy --seeds 3 --json --threads 1; want_code 0
[ "$(sed 's/"seconds".*//' first)" = "$(sed 's/"seconds".*//' out)" ] || fail "equal clusters of one thread wanted"
run eval knn pixels --train train --test test --json; want_code 0; want_json features '"pixels"'; want_json seed 31
run eval linear net --train train --test test --protocol moco --lr 0.1 --epochs 2 --json; want_code 0; want_json features '"backbone"'
want_json optimizer '"sgd"'; want_json schedule '"steps"'; want_json momentum 0.9
cp out first
run eval linear net --train train --test test --protocol moco --lr 0.1 --epochs 2 --json; want_code 0
[ "$(sed 's/"seconds".*//' first)" = "$(sed 's/"seconds".*//' out)" ] || fail "equal calls, equal probes wanted"
refused 3 "60" eval clusters features --train z.npy --test z.npy --k 61
refused 2 "eval linear: no --test found" eval linear pixels --train train
refused 2 "--protocol: \"dino\" found" eval linear pixels --train train --test test --protocol dino
refused 2 "--k: \"0\" found" eval knn pixels --train train --test test --k 0
refused 3 "nothing" eval knn nothing --train train --test test
refused 3 "nothing" eval knn pixels --train nothing --test test
refused 3 "nothing" embed pixels nothing -o y.npy
want_no_file y.npy
mkdir flat && cp train/bars/*.png flat
run embed pixels flat -o flat.npy; want_code 0
grep -q '^0,.*000000.png,,$' flat.csv || fail "no labels, no classes"
refused 3 "" eval knn pixels --train flat --test test
for model in empty.safetensors page.safetensors; do
    : >empty.safetensors
    echo '<html>' >page.safetensors
    refused 3 "$model" embed "$model" test -o y.npy
done
for size in 0 10 90 5000; do
    head -c "$size" z.npy >cut.npy
    cp z.csv cut.csv
    refused 3 "cut.npy" eval knn features --train cut.npy --test z.npy
done
refused 4 "/proc/nowhere" embed pixels test -o /proc/nowhere/z.npy
refused 2 ".npy" embed pixels test -o z.txt
if mkdir full && mount -t tmpfs -o size=64k tmpfs full 2>/dev/null; then
    refused 4 "full/z.npy" embed pixels test -o full/z.npy
    [ -z "$(ls full)" ] || fail "nothing wanted in full/"
    umount full
fi
# bad images are skipped and counted
printf 'x' >test/bars/zz.png
run embed pixels test -o z.npy --json; want_code 0; want_json n 60; want_json skipped 1; want_err "warning"
finish
