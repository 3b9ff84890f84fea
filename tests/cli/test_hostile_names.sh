# Proves: names of files, folders and classes of any bytes are shown escaped wherever they turn up (messages, results, tables, lists
# of what was skipped, reports), with no byte of a control or of broken UTF-8 among them, and nothing follows them anywhere.
. "$(dirname "$0")/harness.sh"

bytes() { printf "$1"; }
mkdir set && cd set
"$protea" synth shapes -o ../shapes --n 40 --quiet >/dev/null
i=0
for class in 'new\nline' 'esc\033[31m' 'bad\377\376' 'bidi\342\200\256txt' '<b>&"quoted'\''"'; do
    folder=$(bytes "$class")
    mkdir "$folder"
    for image in ../shapes/*/*"$i".png; do cp "$image" "$folder/$(bytes "$class")$(basename "$image")"; done
    echo 'no picture' >"$folder/$(bytes "bad$class.png")"
    i=$((i + 1))
done
ln -s . "$(bytes 'loop\n')"; ln -s /proc "$(bytes 'proc\033]0;title\007')"
cd "$(bytes 'new\nline')" && mkfifo "$(bytes 'pipe\n.png')"
ln -s nowhere "$(bytes 'dangling\r.png')"; ln -s /dev/zero "$(bytes 'zero\033c.png')"
cd ../..

# Printable UTF-8 and line ends, and tabs in tables of them; bidi marks have no place either.
clean() {
    local raw='[\x00-\x08\x0b-\x1f\x7f]|\xe2\x80[\x8b-\x8f\xa8-\xae]|\xc2[\x80-\x9f]'
    for file in "$@"; do
        iconv -f UTF-8 -t UTF-8 "$file" >/dev/null 2>&1 || fail "$file: is not UTF-8"
        ! LC_ALL=C grep -qaP "$raw" "$file" || fail "$file: holds raw control characters"
    done
}
spoken() { run "$@"; want_code 0; clean out err; }

spoken inspect set
want_err 'proc\x1b]0;title\x07/: left out'
spoken inspect set --json
spoken embed pixels set -o z.npy
spoken kmeans z.npy --k 3 -o km
spoken corrupt contrast set --no-labels -o corrupted.tar
spoken train swav set -o run --epochs 1 --arch resnet18-w16 --threads 1 --batch-size 8 --size-crops 8 --nmb-crops 2 \
    --min-scale-crops 0.3 --max-scale-crops 1 --nmb-prototypes 8 --hidden-mlp 16 --feat-dim 8
spoken eval knn run --train set --test set
spoken cluster run set --k 3 -o clusters
find . -path ./set -prune -o -type f -regex '.*\.\(csv\|tsv\|yaml\|html\|jsonl?\|log\|txt\)' -print >written
[ "$(wc -l <written)" -ge 4 ] || fail "tables and reports wanted"
while read -r file; do clean "$file"; done <written
grep -q 'bad' run/skipped.tsv || fail "the bad pictures wanted in run/skipped.tsv"
spoken embed pixels set -o "$(bytes 'z\n\033[31m\342\200\256.npy')"
want_out '"z\n\u001B[31m\u202E.npy"'
run inspect "$(bytes 'set/nothing\033[2J\377')"; want_code 3; clean err
run "$(bytes 'verb\033[2J')"; want_code 2; clean err
run inspect set "--$(bytes 'option\n\033')"; want_code 2; clean err
finish
