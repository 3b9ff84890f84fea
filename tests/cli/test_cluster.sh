# Proves: cluster writes what it promises, by prototypes, codes and k-means, one K or several or a chosen one; assign puts the same
# images into the same clusters; images are sorted into folders; hostile names stay text; what cannot be is refused.
. "$(dirname "$0")/harness.sh"

"$protea" synth shapes -o data --n 120 --size 16 --quiet >/dev/null
run train swav data -o model --arch resnet18-w16 --epochs 1 --batch-size 32 --nmb-prototypes 12 --quiet; want_code 0

# by the model's prototypes, and again by assign
run cluster model data -o a --json --sort-into sorted; want_code 0
want_json k 12; want_json by '"prototypes"'; want_json n 120; want_json file '"a/assignments.csv"'; want_json report '"a/report.html"'
for key in used empty outliers near_duplicates acc nmi ami ari seconds; do
    grep -q "\"$key\": " out || fail "key $key wanted"
done
for file in map.csv assignments.csv features.npy clusters.safetensors report.html config.yaml; do want_file a/$file; done
[ "$(head -1 a/assignments.csv)" = "row,path,label,class,cluster,name,similarity,confidence,margin,outlier,duplicate_of" ] || fail "header"
[ "$(head -1 a/map.csv)" = "row,path,x,y" ] && [ "$(wc -l <a/map.csv)" -eq 121 ] || fail "a place for each image wanted"
grep -q '"map_rule": "t-SNE (perplexity 30' out && grep -q 'placed by t-SNE' a/report.html || fail "a map by t-SNE wanted"
run assign a data -o again.csv --json; want_code 0; want_json n 120; want_json k 12
cut -d, -f1-9 a/assignments.csv | cmp -s - again.csv || fail "the clusters of cluster wanted from assign"
[ "$(find sorted -type l | wc -l)" -eq 120 ] || fail "a link for each image wanted"
find sorted -type l ! -exec test -e {} \; -print | grep -q . && fail "links that lead somewhere wanted"
grep -qi 'http://\|https://' a/report.html && fail "a page that stands alone wanted"
run cluster model data -o same; want_code 0
cmp -s a/assignments.csv same/assignments.csv && cmp -s a/clusters.safetensors same/clusters.safetensors || fail "equal calls, equal files"
cmp -s a/map.csv same/map.csv || fail "equal calls, equal maps"

# balanced codes use every prototype
run cluster model data -o codes --by sinkhorn --epsilon 0.01 --sinkhorn-iterations 50 --json; want_code 0; want_json empty 0

# other maps, and none
run cluster model data -o flat --map pca --json; want_code 0
grep -q '"map_rule": "the first two principal axes' out && want_file flat/map.csv && grep -q 'placed by the first two' flat/report.html || fail "axes wanted"
run cluster model data -o unmapped --map none --json; want_code 0
grep -q "map_rule" out && fail "no map wanted"
[ ! -e unmapped/map.csv ] && ! grep -q 'id="map"' unmapped/report.html || fail "no map wanted in the page"
run cluster model data -o umapped --map umap; want_code 2; want_err "auto"

# k-means: one K, several, a chosen one; merged
run cluster model data -o k5 --k 5 --json --sort-into copies --copy; want_code 0; want_json k 5; want_json by '"kmeans"'
[ "$(find copies -type f | wc -l)" -eq 120 ] || fail "a copy of each image wanted"
run cluster model data -o several --k 3,6 --json; want_code 0; want_json k '\[3, 6\]'
want_file several/k3/assignments.csv; want_file several/k6/report.html
run cluster pixels data -o falling --k 6,3 --json; want_code 0; want_json k '\[3, 6\]'
run cluster pixels data -o auto --k auto --json --no-labels; want_code 0; want_json criterion '"silhouette"'
grep -q '"curve": \[{"k": 2, ' out || fail "a curve wanted"
grep -q '<section id="choice">' auto/report.html || fail "the curve on the page wanted"
grep -q '"nmi"' out && fail "no labels, no scores"
run assign auto data -o auto.csv; want_code 0
cut -d, -f2,5 auto/assignments.csv | cmp -s - <(cut -d, -f2,5 auto.csv) || fail "pixels: the clusters of cluster wanted from assign"
run cluster model data -o merged --merge --merge-similarity -1 --json; want_code 0; want_json k 1; want_json merged 11

# an image that is there twice
cp -r data twins
first=$(find twins -name '*.png' | sort | head -1)
cp "$first" "$(dirname "$first")/zz.png"
run cluster pixels twins -o twice --k 3; want_code 0
grep "/zz\.png," twice/assignments.csv | grep -q "/$(basename "$first")\$" || fail "zz.png as a duplicate wanted"

# names are text; a bad image is left out; a tar is no folder of files
mkdir -p evil/x
cp "$(find data -name '*.png' | head -1)" 'evil/x/<img src=x onerror=alert(1)>"&.png'
find data -name '*.png' | head -12 | while read -r file; do cp "$file" "evil/x/$(basename "$(dirname "$file")")-$(basename "$file")"; done
printf 'x' >evil/x/bad.png
run cluster model evil -o evilout --k 2 --json --sort-into evilsorted; want_code 0; want_json skipped 1; want_file evilout/skipped.tsv
grep -q "<img src=x" evilout/report.html && fail "names as text wanted"
tar -cf data.tar data
run cluster model data.tar -o tar --k 4 --sort-into fromtar; want_code 0
[ "$(find fromtar -name '*.png' -type f | wc -l)" -eq 120 ] || fail "images of a tar as PNG wanted"

# without a model one is trained first
run cluster data -o first --epochs 1 --limit 40; want_code 0; want_err "no model given"; want_err "recipe swav-small"
want_file first/model/encoder.safetensors; want_file first/report.html

refused 2 "a: " cluster model data -o a
refused 2 "sorted: is not empty" cluster model data -o new --sort-into sorted
refused 2 "--k 5,5: wanted auto" cluster model data -o new2 --k 5,5
refused 2 "--k ten: wanted auto" cluster model data -o new2 --k ten
refused 2 "would replace the argument model" cluster model data -o model --overwrite
refused 2 "would replace the argument ./model/encoder" cluster ./model/encoder.safetensors data -o model/ --overwrite
refused 2 "would replace --encoder model" train supervised data -o model --encoder model --overwrite
refused 2 "would replace --encoder model" train supervised data -o model --encoder model/encoder.safetensors --overwrite
refused 2 "would replace the argument model" adapt tent model data -o model --overwrite
want_file model/encoder.safetensors; want_file model/checkpoint.safetensors
ls data/*/*.png >list.csv
cp list.csv list.before
refused 2 "would replace the argument list.csv" embed model list.csv -o list.npy
refused 2 "would replace the argument list.csv" assign a list.csv -o list.csv
cmp -s list.csv list.before || fail "the list as it was wanted"
refused 3 "holds no prototypes" cluster model/encoder.safetensors data -o new3 --by prototypes
refused 3 "no clusters found" assign model/encoder.safetensors data -o none.csv
refused 3 "none" assign none data -o none.csv
cp a/report.html before.html
refused 3 "wanted a run of train" doctor a
cmp -s a/report.html before.html || fail "the page of clusters as it was wanted"
want_err "cluster --config a/config.yaml -o a --overwrite makes anew"
cp a/assignments.csv before.csv
rm -r a/report.html sorted
run cluster --config a/config.yaml -o a --overwrite; want_code 0; want_file a/report.html
cmp -s a/assignments.csv before.csv || fail "the same clusters wanted"
want_no_file none.csv
finish
