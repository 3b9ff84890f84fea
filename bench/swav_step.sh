#!/bin/bash
# `protea bench swav-step` beside PyTorch, in turns, so that a change of the machine's speed meets all of them alike.
# Usage: bench/swav_step.sh [PROTEA [ROUNDS]]; needs Debian's python3-torch and python3-torchvision. Prints each run, then
# medians and how much longer (and larger) each peer is than Protea. About ten minutes with three rounds on two cores.
set -euo pipefail
protea=$(realpath "${1:-$(dirname "$0")/../build/protea}")
cd "$(dirname "$0")"
rounds=${2:-3}
# Without these PyTorch gives every large buffer back to the system and faults it in again.
tuned=GLIBC_TUNABLES=glibc.malloc.mmap_threshold=17179869184:glibc.malloc.trim_threshold=17179869184:glibc.malloc.hugetlb=1
results=$(mktemp)
trap 'rm -f "$results"' EXIT

peer() { ./peer_swav_step.py "$@" | awk '{ print $2, $4 }'; }

ours()
{
    # peak memory of the child, in MiB, after its JSON
    python3 -c 'import resource, subprocess, sys
print(subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, text=True, check=True).stdout)
print("rss_mib", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)' \
        "$protea" bench swav-step "$@" --json |
        tr -d '\n' | sed 's/.*"seconds_per_step": *\([0-9.e-]*\).*rss_mib \([0-9]*\).*/\1 \2\n/'
}

measure() # NAME COMMAND...
{
    local name=$1
    shift
    printf '%s %s\n' "$name" "$("$@")" | tee -a "$results"
}

for ((round = 1; round <= rounds; round++)); do
    echo "round $round: name, seconds per step, peak MiB"
    measure protea ours
    measure protea-f32 ours --precision f32
    measure torch-best env "$tuned" bash -c "$(declare -f peer); peer --dtype bf16 --layout nhwc --threads 2"
    measure torch-2-threads peer --dtype f32 --layout nchw --threads 2 --steps 2
    measure torch-default peer --dtype f32 --layout nchw --threads 1 --steps 1
done

echo "medians: name, seconds per step, peak MiB, times protea's seconds, times its memory"
for name in protea protea-f32 torch-best torch-2-threads torch-default; do
    for field in 2 3; do
        awk -v name=$name -v field=$field '$1 == name { print $field }' "$results" | sort -g | sed -n "$(((rounds + 1) / 2))p"
    done | paste -sd' ' | sed "s/^/$name /"
done | awk '$1 == "protea" { s = $2; m = $3 } { printf "%-16s %8.3f %6d %6.2fx %6.2fx\n", $1, $2, $3, $2 / s, $3 / m }'
