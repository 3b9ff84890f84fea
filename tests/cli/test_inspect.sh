# Proves: inspect tells data sets, vectors and weights apart by content, and whatever is broken is refused in one line.
. "$(dirname "$0")/harness.sh"

"$protea" synth shapes -o set --n 30 --quiet >/dev/null
run inspect set; want_code 0; want_out "kind              folder"; want_out '"bars", "checker"'
(cd set && tar cf ../set.tar . && tar czf ../set.tar.gz .)
run inspect set.tar --json; want_code 0; want_json kind '"tar"'; want_json n 30; want_json classes 10
run inspect set.tar.gz --json; want_code 0; want_json n 30
run inspect set.tar::bars --json; want_code 0; want_json n 3
run inspect set --limit 10 --json; want_code 0; want_json n 10
run inspect set --sample 5 --json; want_code 0; want_json n 30; want_json sample 5
run embed pixels set -o z.npy; want_code 0
run inspect z.npy --json; want_code 0; want_json kind '"npy"'; want_json shape '\[30, 3072\]'; want_json type '"f32"'

# what it took for what
run inspect set --json; want_json labels_by '"the folders that hold the images"'; want_json odd '\[\]'
want_json images_per_class '\[3, 3, 3, 3, 3, 3, 3, 3, 3, 3\]'; want_json mean '\[0\.[0-9., ]*\]'; want_json std '\[0\.[0-9., ]*\]'
run inspect set --no-labels --json; want_json labels_by '"none: left aside, as asked"'
mkdir depths && cp set/bars/*.png depths && cp -r set/disc depths
run inspect depths --json; want_code 0; want_json classes 0; want_json labels_by '"none: images lie in no folder"'

# what looks odd
mkdir -p odd/train/a odd/train/b odd/val/a odd/val/b odd/val/none
cp set/bars/*.png odd/train/a; cp set/bars/*.png odd/val/a; cp "$(find set/bars -name '*.png' | head -1)" odd/val/b
run inspect odd; want_code 0
want_out "parts lie in one tree and are taken as one set: train/ (3 images), val/ (4 images); PATH::FOLDER is one of them alone"
want_out "a class has a single image: b"
want_out "2 folders hold no images, train/b/ first"
run inspect odd::train --json; want_code 0; want_json odd '\["a folder holds no images: train/b/"\]'
"$protea" synth shapes -o larger --n 30 --size 48 --quiet >/dev/null
cp -r larger/bars larger/mine && cp -r set/disc larger/yours
run inspect larger; want_out "sizes differ: 32 to 48 pixels wide, 32 to 48 high"
cp set.tar twice.tar && (cd set && tar rf ../twice.tar ./bars)
run inspect twice.tar; want_code 0; want_out "3 members are left out, as a later one has the same name"
printf 'path,label\nset/bars/%s,x\nset/bars/%s,\n' $(ls set/bars | head -2) >some.csv
run inspect some.csv; want_code 0; want_out "1 of 2 images have no label"; want_out "a class has a single image: x"
printf 'path,label\nset/bars/%s,x;y\nset/bars/%s,x;y\nset/bars/%s,\n' $(ls set/bars) >some.csv # more labels than images
run inspect some.csv; want_code 0; want_out "1 of 3 images have no label"
mkdir -p "$(printf 'names/a\033[31m\n')" names/b
cp set/bars/*.png names/b; cp "$(find set/bars -name '*.png' | head -1)" names/a*
run inspect names; want_code 0; want_out 'a class has a single image: a\\x1b[31m'

refused 3 "nothing: no such data set" inspect nothing
mkdir empty
refused 3 "empty" inspect empty
: >zero
refused 3 "zero" inspect zero
echo '<html>' >page.jpg
refused 3 "page.jpg" inspect page.jpg
mkdir pages && cp page.jpg pages
refused 3 "none of 1 images can be read; the first: " inspect pages
head -c 3000 z.npy >cut.npy
refused 3 "cut.npy" inspect cut.npy
head -c 700 set.tar >cut.tar
refused 3 "cut.tar" inspect cut.tar
head -c 1000 set.tar.gz >cut.tar.gz
run inspect cut.tar.gz; [ "$code" -eq 3 ] || [ "$code" -eq 0 ] || fail "read up to the damage, or refused"
for bytes in '\377\377\377\377\377\377\377\177{}' '\010\000\000\000\000\000\000\000{"a":1}' '\003\000\000\000\000\000\000\000{a}' '\000'; do
    printf "$bytes" >bad.safetensors
    refused 3 "bad.safetensors" inspect bad.safetensors
done
mkfifo pipe
refused 3 "pipe" inspect pipe
refused 3 "/dev/zero" inspect /dev/zero
printf 'x' >"$(printf 'set/bars/new\nline\033[31m.png')"
run inspect set; want_code 0; want_out "bad               1"
printf 'x' >"$(printf 'a\nb')"
refused 3 'a\nb' inspect "$(printf 'a\nb')"
finish
