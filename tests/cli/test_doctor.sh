# Proves: doctor reads a real run, says what is wrong with one that has more prototypes than its batch has images, and refuses what
# is no run.
. "$(dirname "$0")/harness.sh"

run train swav synth:shapes,n=64,size=16 -o run --arch resnet18-w16 --epochs 2 --batch-size 16 --nmb-prototypes 30 --quiet; want_code 0
run doctor run --json; want_code 0
grep -q '^{"findings": \[{"what": "' out || fail "a list of findings wanted"
grep -q '"why": "batch and queue hold 16 images for 30 prototypes", "try": "fewer --nmb-prototypes' out || fail "blurred codes wanted"
grep -q '"why": "64 images an epoch for 30 clusters' out || fail "too few images wanted"
rm run/*.safetensors
run doctor run; want_code 0; want_err "too few images for so many clusters"
refused 3 "nothing" doctor nothing
mkdir empty
refused 3 "config.yaml" doctor empty
finish
