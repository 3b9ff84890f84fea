# Proves: corrupt writes folders, a tar and .npy that hold the same pictures and are read back with their labels; results depend
# on the seed and not on the number of threads; names, severities and places that cannot be are refused.
. "$(dirname "$0")/harness.sh"
data=synth:shapes,n=60,size=24

run corrupt fog "$data" -o folder --severity 4 --json; want_code 0; want_no_err
want_json n 60; want_json skipped 0; want_json dir '"folder"'; want_json names '\["fog"\]'; want_json severities '\[4\]'
run corrupt fog "$data" -o one.tar --severity 4 --json; want_code 0; want_json file '"one.tar"'
run corrupt fog "$data" -o one.npy --severity 4 --threads 1 --json; want_code 0; want_json file '"one.npy"'
run corrupt fog "$data" -o two.npy --severity 4 --threads 3; want_code 0
run corrupt fog "$data" -o other.npy --severity 4 --seed 5; want_code 0
cmp -s one.npy two.npy || fail "threads change nothing"
cmp -s one.npy other.npy && fail "a seed changes something"
for form in folder one.tar one.npy; do
    run embed pixels "$form" -o "$form.f.npy"; want_code 0
    cut -d, -f1,3,4 "$form.f.csv" >"$form.labels"
    cmp -s folder.f.npy "$form.f.npy" || fail "$form holds the same pictures"
    cmp -s folder.labels "$form.labels" || fail "$form holds the same labels"
done
[ "$(wc -l <one-classes.txt)" -eq 10 ] || fail "10 names of classes wanted"

# several names and severities
run corrupt standard "$data" -o many --severity 1,5 --limit 10 --json; want_code 0; want_json n 300
[ "$(find many -mindepth 1 -maxdepth 1 | wc -l)" -eq 15 ] || fail "15 folders wanted"
[ "$(find many/fog/5 -name '*.png' | wc -l)" -eq 10 ] || fail "10 files wanted"
run inspect many::fog/5 --json; want_code 0; want_json classes 10
run corrupt extra,speckle-noise "$data" -o x.npy --severity 2 3 --json; want_code 0
want_file x-speckle_noise.npy; want_file x-saturate-labels.npy
run inspect x-saturate.npy --json; want_code 0; want_json kind '"npy"'; want_json n 120; want_json classes 10; want_json width '\[24, 24\]'

gzip -c x-saturate.npy >x-saturate.npy.gz
run embed pixels x-saturate.npy.gz -o packed.npy; want_code 0
[ "$(sed -n 2p packed.csv | cut -d, -f4)" != "" ] || fail "labels of a packed array wanted"

# without labels there is nothing beside the array, and no folders
mkdir flat && cp folder/*/00000*.png flat
run corrupt contrast flat -o flat.npy; want_code 0; want_file flat.npy; want_no_file flat-labels.npy
run corrupt contrast flat -o flat-c; want_code 0; want_file flat-c/000000.png
run corrupt contrast folder --no-labels -o bare; want_code 0; want_file bare/000059.png

# a bad picture is left out and said; only bad ones are refused
echo nothing >flat/bad.png
run corrupt contrast flat -o partly --json; want_code 0; want_json skipped 1; want_err "left out"
mkdir bad && echo nothing >bad/bad.png
refused 3 "none of the 1 images can be used" corrupt contrast bad -o bad-c

# a label that leads out of the folder is not followed
mkdir -p out-of && printf 'path,label\nflat/000000.png,../../escaped\nflat/000001.png,b\n' >labels.csv
refused 3 "class '../../escaped' cannot be a folder's name" corrupt contrast labels.csv -o out-of/here
want_no_file escaped; want_no_file out-of/here
run corrupt contrast labels.csv --no-labels -o out-of/here; want_code 0

refused 2 "did you mean fog?" corrupt fgo "$data" -o no
refused 2 "there are: all standard extra gaussian_noise" corrupt xyzzy "$data" -o no
refused 2 "no such corruption" corrupt "fog,," "$data" -o no
refused 2 "no name" corrupt "" "$data" -o no
refused 2 "1..5" corrupt fog "$data" -o no --severity 6
refused 2 "whole number" corrupt fog "$data" -o no --severity 2.5
refused 2 "not empty" corrupt fog "$data" -o folder
refused 4 "nowhere" corrupt fog "$data" -o /proc/nowhere.npy
refused 4 "nowhere" corrupt fog "$data" -o /proc/nowhere.tar
cp folder/*/000001.png flat/small.png && "$protea" synth shapes -o large --n 10 --size 40 >/dev/null && cp large/*/000003.png flat
refused 3 "an .npy holds one size" corrupt fog flat -o sizes.npy
want_no_file sizes.npy
want_no_file no
finish
