# Proves: k-means of a file of 1.08 GB runs in 300 MB of memory, and finds what it finds in a seventieth of it that the file
# repeats: the same centroids' seventyfold objective.
. "$(dirname "$0")/../cli/harness.sh"
rows=20000 columns=192 times=70
run embed pixels synth:shapes,n=$rows,size=8 -o part.npy; want_code 0
header=$(($(wc -c <part.npy) - rows * columns * 4))
{
    head -c "$header" part.npy | LC_ALL=C sed "s/($rows, $columns), }  /($((rows * times)), $columns), }/"
    for _ in $(seq $times); do tail -c +$((header + 1)) part.npy; done
} >whole.npy
[ "$(wc -c <whole.npy)" -eq $((header + rows * columns * 4 * times)) ] || fail "a file seventy times as long wanted"

# clusters FILE OUT: three iterations over all rows, from the same centroids; $objective.
clusters() {
    run kmeans "$1" -k 100 --niter 3 --init start/centroids.npy --max-points-per-centroid 0 -o "$2" --json
    want_code 0
    objective=$(grep -oE '"objective": [0-9.e+]+' out | grep -oE '[0-9.e+]+$')
}
run kmeans part.npy -k 100 --niter 1 -o start; want_code 0
clusters part.npy of_part; part=$objective
ulimit -d 300000
clusters whole.npy of_whole; whole=$objective
echo "objective: part $part, whole $whole"
awk -v part="$part" -v whole="$whole" -v times=$times 'BEGIN { off = whole / (times * part) - 1; exit !(off < 1e-5 && off > -1e-5) }' ||
    fail "$times times the objective of the part wanted: $part, $whole"
run inspect of_whole/assign.npy --json; want_json shape "\\[$((rows * times))\\]"
finish
