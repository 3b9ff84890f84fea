# Proves: eval svm takes lists of one class an image or several, as pictures or as what embed wrote of them, alike; scores all shots
# and names its settings; perfect features score 1; the protocols that want one class an image say so; wrong wishes are refused.
. "$(dirname "$0")/harness.sh"

"$protea" synth shapes -o train --n 120 --quiet >/dev/null
"$protea" synth shapes -o test --n 60 --seed 2 --quiet >/dev/null

# ---- one class an image
run eval svm pixels --train train --test test --shots 1,3,0 --draws 2 --json; want_code 0
want_json n_train 120; want_json n_test 60; want_json shots '\[1, 3, 0\]'; want_json trained_on '\[10, 30, 120\]'
want_json map '\[0\.[0-9]*, 0\.[0-9]*, 0\.[0-9]*\]'; want_json top1 '\[0\.[0-9]*, 0\.[0-9]*, 0\.[0-9]*\]'
want_json spread '\[0\.[0-9]*, 0\.[0-9]*, 0\.0*\]'; want_json unconverged 0; want_json cost '\[0\.5, 0\.5, 0\.5\]'
want_json protocol '"pcl"'; want_json loss '"squared_hinge"'; want_json positive_weight '2\.0*'; want_json ap '"11point"'
want_err "costs 0.5, positives x2, features of length 1, tol 0.0001, max-iter 2000"
want_err "shots 3: mAP"
cp out first
run eval svm pixels --train train --test test --shots 1,3,0 --draws 2 --json --threads 1; want_code 0
[ "$(sed 's/"seconds".*//' first)" = "$(sed 's/"seconds".*//' out)" ] || fail "one thread gives the same"
run embed pixels train -o train.npy; want_code 0
run embed pixels test -o test.npy; want_code 0
run eval svm features --train train.npy --test test.npy --shots 1,3,0 --draws 2 --json; want_code 0
[ "$(sed 's/"seconds".*//' first)" = "$(sed 's/"seconds".*//' out)" ] || fail "SVMs of files are SVMs of images"
run eval svm pixels --train train --test train --shots 0 --costs 1000 --ap area --json; want_code 0 # learnt by heart
want_json map '\[1\.0*\]'; want_json map_11point '\[1\.0*\]'; want_json top1 '\[1\.0*\]'
run eval svm features --train train.npy --test test.npy --shots 2 --costs 0.01,1 --json; want_code 0
want_json chosen_by '\["test"\]'; want_json costs '\[0\.010*, 1\]'
run eval svm features --train train.npy --test test.npy --shots 0,3 --costs 0.01,1 --draws 1 --select folds --folds 3 --json; want_code 0
want_json chosen_by '\["folds", "folds"\]'; want_json cost '\[null, null\]'
run eval svm features --train train.npy --test test.npy --loss hinge --positive-weight 0 --shots 0 --max-iter 1; want_code 0
want_err "positives balanced"; want_err "warning: 10 SVMs were not trained to --tol 0.0001 within --max-iter 1"
run eval svm features --train train.npy --test test.npy --shots 50 --draws 1; want_code 0
want_err "10 of 10 classes have fewer than 50 training images, the smallest 12"
run eval svm features --train train.npy --test test.npy --help; want_code 0; want_out "VOC07"

# ---- several classes an image: what it shows, and whether that has corners
list() { # list FOLDER FILE HEADING
    [ -z "$3" ] || echo "$3" >"$2"
    [ -n "$3" ] || : >"$2"
    for image in "$1"/*/*.png; do
        class=$(basename "$(dirname "$image")")
        case $class in b*|c*|s*) echo "$image,$class;cornered" ;; *) echo "$image,$class" ;; esac
    done >>"$2"
}
list train train.csv path,label
list test test.txt ""
run inspect test.txt --json; want_code 0; want_json classes 11
run eval svm pixels --train train.csv --test test.txt --shots 1,0 --json; want_code 0
want_json n_train 120; want_json n_test 60; want_json map '\[0\.[0-9]*, 0\.[0-9]*\]'
! grep -q '"top1"' out || fail "no top1 where images have several classes"
grep -q '{"class": "cornered", "n_train": [1-9][0-9]*, "n_test": [1-9][0-9]*, "ap": \[0\.[0-9]*, 0\.[0-9]*\]' out || fail "AP of each class"
map=$(grep -o '"map": [^]]*' out)
run embed pixels train.csv -o mtrain.npy; want_code 0
run embed pixels test.txt -o mtest.npy; want_code 0
grep -q '^0,train/bars/000000.png,0;[0-9]*,bars;cornered$' mtrain.csv || fail "both classes in embed's table"
run eval svm features --train mtrain.npy --test mtest.npy --shots 1,0 --json; want_code 0
[ "$map" = "$(grep -o '"map": [^]]*' out)" ] || fail "SVMs of files are SVMs of images: $map"

# ---- one class is wanted
for protocol in knn linear clusters; do
    refused 3 "train.csv: images of several classes (train/bars/000000.png is bars;cornered), one each wanted here; eval svm" \
        eval "$protocol" pixels --train train.csv --test test.txt
    refused 3 "mtrain.npy: images of several classes" eval "$protocol" features --train mtrain.npy --test mtest.npy
done
refused 3 "train.csv: images of several classes" train supervised train.csv -o run --epochs 0
refused 3 "train.csv: images of several classes" cluster pixels train.csv -o clusters --k 3
run train simsiam train.csv -o run --arch resnet18-w16 --epochs 0 --quiet; want_code 0 # labels are not read

# ---- wrong wishes
refused 2 "--shots: 1.5 found" eval svm pixels --train train --test test --shots 1.5
refused 2 "--shots: -1 found" eval svm pixels --train train --test test --shots -1,2 # -1 alone is the protocol's
refused 2 "--costs: 0 found" eval svm pixels --train train --test test --costs 1,0
refused 2 "--costs: 0 found" eval svm pixels --train train --test test --costs 0,1
refused 2 "--select folds: 2 shots found, 3 wanted" eval svm pixels --train train --test test --shots 2 --costs 1,2 --select folds
refused 2 "eval svm: no --test found" eval svm pixels --train train
refused 3 "13 folds" eval svm pixels --train train --test test --shots 0 --costs 1,2 --folds 13
refused 3 "class cornered is not among the 10" eval svm pixels --train train --test test.txt --shots 0
sed 's/,0;[0-9]*,/,0;1;2,/' mtrain.csv >odd.csv; cp mtrain.npy odd.npy
refused 3 "odd.npy: row 0: 3 labels but 2 classes" eval svm features --train odd.npy --test mtest.npy
mkdir flat; cp train/bars/*.png flat
refused 3 "no classes" eval svm pixels --train flat --test test
finish
