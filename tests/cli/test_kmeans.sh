# Proves: kmeans writes what it promises, the same bytes for any number of threads, and refuses rows and options it cannot use.
. "$(dirname "$0")/harness.sh"

run embed pixels synth:shapes,n=400,size=8 -o x.npy; want_code 0
run kmeans x.npy -k 10 -o a --json --threads 1; want_code 0
want_json k 10; want_json n 400; want_json dim 192; want_json iterations '[0-9]+'; want_json objective '[0-9.]+'
want_json seconds '[0-9.e-]+'; want_json imbalance '[0-9.]+'; want_json empty 0
for file in centroids.npy assign.npy distances.npy stats.json; do want_file "a/$file"; done
grep -q '"record"' a/stats.json || fail "a record in stats.json wanted"
run inspect a/centroids.npy --json; want_json shape '\[10, 192\]'
run inspect a/assign.npy --json; want_json shape '\[400\]'; want_json type '"i32"'
for threads in 2 3; do
    run kmeans x.npy -k 10 -o b --threads "$threads"; want_code 0
    for file in centroids assign distances; do cmp -s "a/$file.npy" "b/$file.npy" || fail "$file of one thread wanted"; done
done

run kmeans x.npy -k 5,20 -o several --json --init kmeans++ --spherical --precision f32; want_code 0
want_json k '\[5, 20\]'; want_json objective '\[[0-9.]+, [0-9.]+\]'; want_file several/k5/assign.npy; want_file several/k20/assign.npy
run kmeans x.npy -k 10 -o c --json --init a/centroids.npy --empty keep --niter 1; want_code 0; want_json iterations 1
run kmeans x.npy -k 10 -o w --init a/centroids.npy --weights a/distances.npy; want_code 0
cmp -s a/centroids.npy w/centroids.npy && fail "weights that pull wanted"
run kmeans x.npy -k 20 -o d; want_err "400 rows for 20 clusters; at least 780 rows make good centroids"

refused 2 "-k: not given" kmeans x.npy -o e
refused 2 "--init best: wanted random, kmeans++ or a file that ends in .npy" kmeans x.npy -k 5 --init best -o e
refused 3 "a/centroids.npy: its centroids are not as many as -k" kmeans x.npy -k 5 --init a/centroids.npy -o e
refused 3 "a/centroids.npy: other numbers than one f32 for each row" kmeans x.npy -k 5 --weights a/centroids.npy -o e
refused 3 "x.npy: 400 rows of 192 columns for 500 clusters" kmeans x.npy -k 500 -o e
refused 3 "none.npy: " kmeans none.npy -k 5 -o e
refused 3 "a/assign.npy: other numbers than f32" kmeans a/assign.npy -k 5 -o e
cp x.npy bad.npy # row 7, column 3 of the elements, which end with the file
size=$(wc -c <x.npy)
printf '\000\000\300\177' | dd of=bad.npy bs=1 conv=notrunc seek=$((size - 400 * 192 * 4 + (7 * 192 + 3) * 4)) 2>/dev/null
refused 3 "bad.npy: row 7, column 3 holds nan" kmeans bad.npy -k 5 -o e
want_no_file e
finish
