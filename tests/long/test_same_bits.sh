# Proves: for several batch orders and sizes, of files and of generated images, a real SwAV run gives the same bytes with no,
# one and four loader threads and when it is repeated; another order gives others.
. "$(dirname "$0")/small_swav.sh"
"$protea" synth shapes -o files --n 192 --size 16 --quiet >/dev/null

# The tensors of a safetensors file: what follows its header, which holds the options.
tensors() { tail -c +$((9 + $(od -An -t u8 -N 8 "$1"))) "$1"; }

generated=$data
for order in "1 32 $generated" "2 32 files" "3 48 files" "4 24 $generated" "5 64 files"; do
    read -r seed batch data <<<"$order"
    rm -rf run-*
    for workers in 0 1 4; do
        swav run-$workers --epochs 6 --seed "$seed" --batch-size "$batch" --queue-length $((2 * batch)) --workers $workers
        want_code 0
        tensors run-$workers/checkpoint.safetensors >run-$workers/tensors
        cmp -s run-0/tensors run-$workers/tensors || fail "order $order: the tensors of run-0 wanted with $workers workers"
        cmp -s run-0/encoder.safetensors run-$workers/encoder.safetensors || fail "order $order: the encoder of run-0 wanted"
    done
    run train --config run-0/config.yaml -o run-again; want_code 0; same_run run-0 run-again
    sha256sum <run-0/tensors >>sums
done
[ "$(sort -u sums | wc -l)" -eq 5 ] || fail "five different results of five orders wanted"
finish
