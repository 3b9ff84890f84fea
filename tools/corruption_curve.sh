#!/bin/sh
# The error of a CIFAR-10 classifier over the 75 cells of the corruption benchmark, and how its order agrees with that of a
# published one: Spearman's rank correlation with the standard WRN-28-10 of RobustBench (unaggregated_results.csv).
# Usage: tools/corruption_curve.sh MODEL DATA [IMAGES]     DATA: CIFAR-10's test set with its class names; IMAGES: 2000
# PROTEA: the command (build/protea). Prints a table in Markdown and the correlation.
set -eu
model=$1 data=$2 images=${3:-2000}
protea=${PROTEA:-$(dirname "$0")/../build/protea}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

# errors in percent at severities 1 to 5
published='gaussian_noise 22.2 42.1 60.8 67.4 72.3
shot_noise 15.0 24.3 46.5 54.6 65.7
impulse_noise 17.1 31.0 42.6 59.9 72.9
defocus_blur 5.4 6.6 11.0 22.6 46.9
glass_blur 46.6 44.2 43.0 56.8 54.3
motion_blur 9.7 16.1 25.6 25.2 34.8
zoom_blur 12.3 15.5 22.5 29.7 42.0
snow 10.1 19.6 16.3 19.5 25.1
frost 10.5 16.5 27.4 29.1 41.3
fog 5.5 6.4 7.7 10.4 26.0
brightness 5.2 5.6 6.2 7.2 9.3
contrast 5.7 7.8 10.3 16.4 46.7
elastic_transform 9.5 9.8 14.1 21.1 26.6
pixelate 8.0 14.0 20.0 39.6 58.5
jpeg_compression 13.6 20.3 22.0 25.8 30.3'

# "NAME SEVERITY MEASURED PUBLISHED" for each cell; rows of the .npy are severity after severity
echo "$published" | while read -r name s1 s2 s3 s4 s5; do
    "$protea" corrupt "$name" "$data" -o "$place/c.npy" --severity 1,2,3,4,5 --limit "$images" --quiet >/dev/null
    "$protea" predict "$model" "$place/c.npy" -o "$place/c.csv" --quiet >/dev/null
    awk -F, -v name="$name" -v want="$s1 $s2 $s3 $s4 $s5" '
        NR > 1 { row[n++] = $4 != $5 }
        END {
            split(want, w, " ")
            for (i = 0; i < n; i++) wrong[int(i * 5 / n) + 1] += row[i]
            for (s = 1; s <= 5; s++) printf "%s %d %.2f %s\n", name, s, 500 * wrong[s] / n, w[s]
        }' "$place/c.csv" | tee -a "$place/cells" >&2
done

# Ranks are means of equal ones; first .. last: the cells that are compared.
awk '
function rank(v, r, first, last,   i, j) {
    for (i = first; i <= last; i++) {
        r[i] = 0.5
        for (j = first; j <= last; j++) r[i] += v[j] < v[i] ? 1 : v[j] == v[i] ? 0.5 : 0
    }
}
function spearman(x, y, first, last,   a, b, i, n, mx, my, xy, xx, yy) {
    n = last - first + 1
    rank(x, a, first, last); rank(y, b, first, last)
    for (i = first; i <= last; i++) { mx += a[i] / n; my += b[i] / n }
    for (i = first; i <= last; i++) { xy += (a[i] - mx) * (b[i] - my); xx += (a[i] - mx) ^ 2; yy += (b[i] - my) ^ 2 }
    return xy / sqrt(xx * yy)
}
{ n++; name[n] = $1; ours[n] = $3; theirs[n] = $4; sum[$2] += $3; sum_theirs[$2] += $4 }
END {
    print "| corruption | 1 | 2 | 3 | 4 | 5 | published 1 | 2 | 3 | 4 | 5 |\n|---|---|---|---|---|---|---|---|---|---|---|"
    for (i = 1; i <= n; i += 5) {
        printf "| %s", name[i]
        for (s = 0; s < 5; s++) printf " | %.1f", ours[i + s]
        for (s = 0; s < 5; s++) printf " | %.1f", theirs[i + s]
        print " |"
        within += spearman(ours, theirs, i, i + 4) * 5 / n
    }
    printf "| mean"
    for (s = 1; s <= 5; s++) printf " | %.1f", sum[s] * 5 / n
    for (s = 1; s <= 5; s++) printf " | %.1f", sum_theirs[s] * 5 / n
    printf " |\n\nSpearman: %.3f over %d cells; %.3f over the severities of a corruption, on average\n", \
        spearman(ours, theirs, 1, n), n, within
}' "$place/cells"
