#!/bin/sh
# The rules of docs/architecture.md that a script can hold. Usage: tools/check_layers.sh [BUILD]
# Those of the second half look at what the compiler made and need a BUILD folder.
set -u
cd "$(dirname "$0")/.." || exit 2
build=${1:-}

# A file in src/ includes only its own folder and folders of a lower rank.
layers()
{
    grep -rn '^ *# *include "' --include='*.[ch]' src | awk -F'[:"]' '
    BEGIN {
        n = split("base=0 backend=1 tensor=2 format=3 comm=3 image=3 data=4 nn=4 loss=5 cluster=5 optim=5 method=6 adapt=6 " \
                  "train=7 eval=8 report=9 api=10", pair, " ")
        for (i = 1; i <= n; i++) { split(pair[i], p, "="); rank[p[1]] = p[2] }
    }
    {
        split($1, from, "/"); split($4, to, "/"); a = from[2]; b = to[1]
        if (!(a in rank)) print "layers: " $1 ": a folder without a rank"
        else if (!(b in rank)) print "layers: " $1 ":" $2 ": \"" $4 "\" is not named from src/"
        else if (a != b && rank[b] >= rank[a]) print "layers: " $1 ":" $2 ": " a " may not include " $4
    }'
}

# The command and the examples see the public headers only; those see one another as <protea/...>.
public_only()
{
    for folder in cli examples include; do
        [ ! -d "$folder" ] || grep -rnE '^ *# *include "(.*/|\.)' --include='*.[ch]' "$folder" | sed 's/^/public only: /'
    done
}

# One name, one file; a public header and the internal one of the same concept may share it.
names()
{
    for root in "src cli tests examples bench" "include cli"; do
        # shellcheck disable=SC2086
        find $root -name '*.[ch]' 2>/dev/null | sed 's|.*/||' | sort | uniq -d | sed 's/^/name used twice: /'
    done
}

# Each public header compiles alone.
headers()
{
    for header in include/protea/*.h; do
        line="#include <protea/${header##*/}>"
        echo "$line" | gcc -std=c11 -Wall -Wextra -pedantic -Iinclude -fsyntax-only -x c - 2>&1
        echo "$line" | clang -std=c++11 -Wall -Wextra -pedantic -Iinclude -fsyntax-only -x c++ - 2>&1
    done | sed 's/^/header alone: /'
}

exports()
{
    nm -D --defined-only "$build/libprotea.so" | awk '$3 !~ /^protea_/ { print "exported: " $3 }'
}

# The library never prints, ends the process, looks at its environment or changes what belongs to the whole process; and
# starts no other, but for `bench --peer`, whose command line holds nothing of the user's.
calls()
{
    # shellcheck disable=SC2046
    nm -A --undefined-only $(objects) | awk '
    $NF ~ /^(printf|vprintf|puts|putchar|perror|stdout|stderr|exit|_exit|quick_exit|abort|getenv|secure_getenv|setenv|putenv)$/ ||
    $NF ~ /^(system|popen|rand|srand|random|tmpnam|mktemp|setlocale|signal|sigaction)$/ { sub(/.*objects.dir\//, "", $1); print "calls: " $1 " " $NF }' | grep -v 'bench_peer.c.o: popen$'
}

# No state outside objects that the caller holds. Constant tables are elsewhere (.rodata, .data.rel.ro), so is the
# thread-local message (.tbss). The exceptions make allocations fail in tests.
globals()
{
    for object in $(objects); do
        objdump -t "$object" | awk -v file="${object##*objects.dir/}" '
        $0 ~ / O (\.data|\.bss)/ && $0 !~ /\.data\.rel\.ro/ && $NF !~ /^fail_(sticky|countdown)$/ {
            print "mutable global: " file " " $NF }'
    done
}

objects() { find "$build/CMakeFiles/objects.dir/src" -name '*.o'; }

report=$(layers; public_only; names; headers; [ -z "$build" ] || { exports; calls; globals; })
[ -z "$report" ] || { printf '%s\n' "$report"; exit 1; }
echo "layers: good"
