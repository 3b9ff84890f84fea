# Proves: adapt answers every image of a stream once and counts rightly; one algorithm or many, one corruption or several;
# what it leaves can be opened again; equal calls give equal answers; what cannot be is refused in one line with its code.
. "$(dirname "$0")/harness.sh"

"$protea" synth shapes -o data --n 100 --size 16 --quiet >/dev/null
"$protea" synth shapes -o new --n 61 --size 16 --seed 2 --quiet >/dev/null
run train supervised data -o model --arch resnet18-w16 --epochs 1 --batch-size 32 --quiet; want_code 0

# one algorithm, images as they are, the last partial batch kept
run adapt tent model new -o one --batch-size 16 --json; want_code 0
want_json algorithm '"tent"'; want_json n 61; want_json batch_size 16; want_json updates 4; want_json mode null
for key in accuracy source_accuracy bn_accuracy images_per_second per_class memory_bytes; do
    grep -q "\"$key\": " out || fail "key $key wanted"
done
for file in predictions.csv model.safetensors stats.json report.html config.yaml; do want_file one/$file; done
grep -q '"confusion"' one/stats.json || fail "a confusion matrix wanted"
grep -q '"over_time": {"source": \[\[16, ' one/stats.json || fail "accuracy batch by batch wanted"
[ "$(head -1 one/predictions.csv)" = "row,path,class,algorithm,corruption,severity,predicted,probability,entropy" ] || fail "header"
[ "$(tail -n +2 one/predictions.csv | cut -d, -f2 | sort -u | wc -l)" -eq 61 ] || fail "each image once wanted"
share=$(tail -n +2 one/predictions.csv | awk -F, '$3 == $7 { right++ } END { printf "%.6f", right / NR }')
said=$(grep -o '"accuracy": [0-9.]*' out | cut -d' ' -f2)
awk -v a="$share" -v b="$said" 'BEGIN { exit !(a - b < 1e-6 && b - a < 1e-6) }' || fail "accuracy $said, predictions.csv says $share"
grep -qi '<script\|http://\|https://' one/report.html && fail "a page that stands alone wanted"

# what it leaves is a model; equal calls give equal answers; another seed another order
run adapt source one new -o again --json; want_code 0
run inspect one --json; want_code 0; want_json kind '"run"'; grep -q '"parameters": [1-9]' out || fail "a model wanted"
run adapt tent model new -o same --batch-size 16; want_code 0
cmp -s one/predictions.csv same/predictions.csv || fail "equal calls give equal answers"
cmp -s one/model.safetensors same/model.safetensors || fail "equal calls give equal models"
run adapt tent --config one/config.yaml -o config --batch-size 16; want_code 0
cmp -s one/predictions.csv config/predictions.csv || fail "config.yaml repeats the call"
run adapt tent model new -o seed --batch-size 16 --seed 5; want_code 0
cmp -s one/predictions.csv seed/predictions.csv && fail "another seed gives another order"
run adapt source model new -o file --stream file --no-baselines; want_code 0
tail -n +2 file/predictions.csv | cut -d, -f2 | LC_ALL=C sort -c || fail "--stream file keeps the order"

# the source model in any stream and batch answers as predict does; in f32, since the size of a batch chooses bf16's convolutions
run adapt source model new -o file --overwrite --stream file --no-baselines --precision f32; want_code 0
run predict model new -o predict.csv --precision f32; want_code 0
tail -n +2 file/predictions.csv | cut -d, -f2,7 | sort >a
run adapt source model new -o small --stream correlated --batch-size 7 --precision f32; want_code 0
tail -n +2 small/predictions.csv | cut -d, -f2,7 | sort >b
cmp -s a b || fail "source does not depend on the stream"

# many algorithms and corruptions
run adapt all model new -o all --algorithms tent,bn --corruption fog,brightness --severity 3 --json; want_code 0
[ "$(grep -o '"algorithm": "[a-z]*", "mode": null, "corruption"' out | wc -l)" -eq 6 ] || fail "3 algorithms, 2 corruptions"
[ "$(tail -n +2 all/predictions.csv | wc -l)" -eq 244 ] || fail "2 asked x 2 corruptions x 61 images"
grep -q ',tent,brightness,3,' all/predictions.csv || fail "algorithm, corruption and severity in the table"
want_no_file all/model.safetensors
run adapt bn model new -o gradual --stream gradual --corruption fog --json; want_code 0; want_json n 549
run adapt bn model new -o mixed --stream mixed --corruption fog,snow --json --limit 20; want_code 0
[ "$(tail -n +2 mixed/predictions.csv | wc -l)" -eq 40 ] || fail "20 images under both"
run adapt tent model new -o guarded --guard --json; want_code 0; want_json rollbacks 0

# images that cannot be used are left out and listed; without labels there is no accuracy
printf 'x' >new/bars/zz.png
run adapt bn model new -o bad --json; want_code 0; want_json n 61; want_json skipped 1; want_file bad/skipped.tsv
rm new/bars/zz.png
mkdir flat && cp new/bars/*.png flat
run adapt bn model flat -o flatout --json; want_code 0; want_json n 7
grep -q accuracy out && fail "no labels, no accuracy"
want_file flatout/report.html

# the example adapts to frames from standard input: PPM, or raw of a given size
example=$(dirname "$protea")/example_adapt_stdin
for i in $(seq 40); do
    yes "$i frame" | head -c 768 >frame
    cat frame >>frames.raw
    { printf 'P6\n16 16\n255\n'; cat frame; } >>frames.ppm
done
last="example_adapt_stdin"
if [ -x "$example" ]; then
    "$example" model tent <frames.ppm >out 2>err || fail "exit code 0 wanted"
    [ "$(wc -l <out)" -eq 40 ] || fail "a line a frame wanted"
    want_err "40 frames, 1 updates, 0 rollbacks"; want_file adapted.safetensors
    cp out ppm.out
    "$example" model tent 16 16 <frames.raw >out 2>err || fail "exit code 0 wanted"
    cmp -s out ppm.out || fail "raw frames are answered as PPM"
fi

# what an adapter takes of itself stands in its help and in the configuration
run adapt tsd --help; want_code 0; want_out "(default 0.0001; 0..1000)"; want_out "(default all; one of auto|all"; want_out "official 0, corrected 0.1"
run adapt all --help; want_code 0; want_out "(default 0; 0..1000)"
grep -q '^lr: 0.001 ' one/config.yaml || fail "Tent's learning rate wanted in config.yaml"
grep -q '^update_param: affine ' one/config.yaml || fail "what Tent trains wanted in config.yaml"

# refused
refused 2 "tent" adapt tend model new -o x
refused 3 "adapt" report one
refused 2 "--overwrite" adapt bn model new -o one
run adapt bn model new -o one --overwrite; want_code 0
refused 2 "gaussian_noise" adapt bn model new -o x --corruption gausian_noise
refused 2 "twice" adapt all model new -o x --algorithms tent,tent
refused 2 "tent" adapt all model new -o x --algorithms tnt
refused 2 "--severity" adapt bn model new -o x --severity 6
refused 2 "--lr" adapt tent model new -o x --lr -1
refused 3 "nothing" adapt bn nothing new -o x
refused 3 "nothing" adapt bn model nothing -o x
refused 3 "no classifier" adapt bn model/encoder.safetensors new -o x
refused 3 "classes" adapt bn model flat -o x --stream correlated
mkdir -p other/dog other/cat && cp new/bars/*.png other/dog && cp new/disc/*.png other/cat
refused 3 "cat" adapt bn model other -o x
run adapt bn model other -o x --no-labels; want_code 0
refused 4 "/proc/nowhere" adapt bn model new -o /proc/nowhere/x
finish
