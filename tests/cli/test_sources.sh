# Proves: every kind of data set is found out by content and can be trained on as it is; --normalize, --no-labels and --limit do
# what they say; folders inside folders without labels are one set.
. "$(dirname "$0")/harness.sh"
small="--arch resnet18-w16 --threads 1 --batch-size 8 --size-crops 8 --nmb-crops 2 --min-scale-crops 0.3 --max-scale-crops 1
       --nmb-prototypes 4 --hidden-mlp 8 --feat-dim 4 --precision f32 --epochs 1 --quiet"

# set_is SPEC KIND N CLASSES: what inspect says of it, and that a run can be trained on it.
set_is() {
    run inspect "$1" --json; want_code 0; want_json kind "\"$2\""; want_json n "$3"; want_json classes "$4"
    # shellcheck disable=SC2086
    run train swav "$1" $small -o run --overwrite; want_code 0
}

# ---- folders
"$protea" synth scenes -o classes --n 20 --size 12 --quiet >/dev/null
set_is classes folder 20 10
run inspect classes --no-labels --json; want_code 0; want_json classes 0
run inspect classes --limit 10 --json; want_code 0; want_json n 10; want_json classes 10
mkdir -p nested/2023/may nested/2024
find classes -name '*.png' | sort | head -n 9 | while read -r file; do cp "$file" "nested/2023/may/$(basename "$file")"; done
find classes -name '*.png' | sort | tail -n 9 | while read -r file; do cp "$file" "nested/2024/$(basename "$file")"; done
run inspect nested --no-labels --json; want_code 0; want_json n 18; want_json classes 0
mkdir flat; cp nested/2024/*.png flat; set_is flat folder 9 0

# ---- archives, one and several
"$protea" synth scenes -o set.tar --n 20 --size 12 --quiet >/dev/null
set_is set.tar tar 20 10
gzip -k set.tar; set_is set.tar.gz tar 20 10
for i in 0 1 2; do "$protea" synth shapes -o s-00$i.tar --n 10 --size 12 --seed $i --quiet >/dev/null; done
set_is 's-{000..002}.tar' tar 30 10

# ---- lists
find classes -name '*.png' | sort >paths.txt
set_is paths.txt list 20 10
{ echo "path,label"; find classes -name '*.png' | sort | awk 'NR % 2 { print $0 ",odd"; next } { print $0 ",even" }'; } >table.csv
set_is table.csv list 20 2

# ---- arrays of bytes
"$protea" synth scenes -o set.npy --n 20 --size 12 --quiet >/dev/null
set_is set.npy npy 20 10
bytes() { head -c "$1" /dev/urandom; }
{ printf '\000\000\010\003\000\000\000\014\000\000\000\010\000\000\000\010'; bytes 768; } >train-images-idx3-ubyte
{ printf '\000\000\010\001\000\000\000\014'; printf '\000\001\002\000\001\002\000\001\002\000\001\002'; } >train-labels-idx1-ubyte
set_is train-images-idx3-ubyte idx 12 3
gzip train-images-idx3-ubyte train-labels-idx1-ubyte
set_is train-images-idx3-ubyte.gz idx 12 3
for i in 0 1 2 3 4 5 6 7 8 9; do printf "\\00$((i % 2))\\00$((i % 7))"; bytes 3072; done >cifar100.bin
run inspect cifar100.bin --json; want_code 0; want_json kind '"cifar100"'; want_json n 10; want_json width '\[32, 32\]'

# ---- colours: what the run says of itself
# colours HOW MEAN: mean of the first channel in the encoder, as a pattern.
colours() {
    # shellcheck disable=SC2086
    run train swav classes $small --normalize "$1" -o run --overwrite; want_code 0
    grep -aoE "\"protea.mean\":\"$2" run/encoder.safetensors >/dev/null || fail "--normalize $1: a mean of $2 wanted"
}
colours auto 0\\.4914
colours cifar 0\\.4914
colours imagenet 0\\.485
run inspect classes --json
mean=$(grep -o '"mean": \[[0-9.]\{6\}' out | grep -o '[0-9.]*$')
colours data "${mean//./\\.}"
# shellcheck disable=SC2086
refused 2 "normalize" train swav classes $small --normalize photos -o run --overwrite
finish
