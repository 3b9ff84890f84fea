#!/bin/sh
# Runs short tests and a whole command on emulated older processors: one with AVX2 and no AVX-512, one with SSE2 alone.
# Usage: tools/check_cpus.sh BUILD; needs Debian's qemu-user, without which it says so and passes.
set -eu
build=$1
command -v qemu-x86_64 >/dev/null || { echo "skipped: emulated processors (qemu-user is not installed)"; exit 0; }
export OMP_WAIT_POLICY=passive # and the command does not start itself again, on the real processor
failed=0
on() # PROCESSOR COMMAND...
{
    cpu=$1
    shift
    if qemu-x86_64 -cpu "$cpu" "$@" >"$build/cpus.log" 2>&1; then
        echo "$cpu: ${1##*/} passed"
    else
        echo "$cpu: ${1##*/} FAILED"
        tail -n 20 "$build/cpus.log"
        failed=$((failed + 1))
    fi
}
for cpu in Haswell qemu64; do
    for name in test_base test_knn test_sinkhorn test_loss_swapped test_optim test_nearest test_kmeans test_moco; do
        on $cpu "$build/tests/$name"
    done
    on $cpu "$build/protea" eval knn pixels --train synth:shapes,n=100,seed=1 --test synth:shapes,n=20,seed=2 --k 10
done
[ "$failed" = 0 ]
