#!/bin/sh
# The demonstration: trains SwAV without labels on a generated set of shapes, then asks a nearest-neighbour classifier how
# well raw pixels, the untrained network and the trained one tell the shapes of new images apart.
# Usage: tools/demo.sh PROTEA RUN
set -eu
protea=$1
run=$2
train=synth:shapes,n=4000,size=32,seed=1
test=synth:shapes,n=1000,size=32,seed=2 # other images of the same classes

top1() # MODEL
{
    json=$("$protea" eval knn "$1" --train $train --test $test --json)
    printf '%s' "$json" | tr -d '\n' | sed -n 's/.*"top1": *\([0-9.eE+-]*\).*/\1/p'
}

mkdir -p "$(dirname "$run")"
"$protea" train swav $train -o "$run" --overwrite --knn-train $train --knn-test $test --knn-freq 4
"$protea" train swav $train -o "$run-untrained" --overwrite --epochs 0 --json --quiet >/dev/null
pixels=$(top1 pixels)
untrained=$(top1 "$run-untrained")
trained=$(top1 "$run")

echo "report: $run/report.html"
printf 'kNN top1: pixels %.3f untrained %.3f trained %.3f\n' "$pixels" "$untrained" "$trained"
