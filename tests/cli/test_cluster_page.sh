# Proves: the page of clusters holds what it should: the command that made it, settings, the training of a model that is a run, a tree
# where several K were asked for, whose links lead to pages that are there; it loads nothing and stays below its limit; names
# stay text.
. "$(dirname "$0")/harness.sh"

"$protea" synth shapes -o data --n 150 --size 16 --quiet >/dev/null
run train swav data -o 'my run' --arch resnet18-w16 --epochs 2 --batch-size 32 --nmb-prototypes 12 --quiet; want_code 0
has() { grep -qF -- "$2" "$1" || fail "in $1 wanted: $2"; }
has_not() { grep -qF -- "$2" "$1" && fail "in $1 not wanted: $2"; }
# alone FILE: one file, at most 25 MB, one script, nothing from elsewhere, and every link leads somewhere
alone() {
    [ "$(stat -c %s "$1")" -le 25000000 ] || fail "$1: at most 25 MB wanted"
    [ "$(grep -c '<script' "$1")" -eq 1 ] || fail "$1: one script wanted"
    grep -qiE 'https?:|@import|<link|<iframe|<img' "$1" && fail "$1: a page that loads nothing wanted"
    has "$1" "default-src 'none'"
    grep -oE 'href="#[^"]*"' "$1" | sort -u | sed 's/href="#\(.*\)"/\1/' | while read -r id; do
        grep -q "id=\"$id\"" "$1" || echo "$id"
    done >missing
    [ ! -s missing ] || fail "$1: nowhere to be found: $(head -3 missing | tr '\n' ' ')"
}

# one K, a model that is a run
run cluster 'my run' data -o one --k 4 --temperature 0.2 --no-labels; want_code 0
alone one/report.html
has one/report.html "protea cluster &#39;my run&#39; data <span>-o</span> one <span>--clusters</span> 4 <span>--temperature</span> 0.2 <span>--no-labels</span>"
for id in map sizes clusters training health settings; do has one/report.html "<section id=\"$id\">"; done
for j in 0 1 2 3; do has one/report.html "id=\"cluster-$j\""; done
has_not one/report.html 'id="tree"'
[ "$(grep -c 'class="pin ' one/report.html)" -eq 150 ] || fail "a place on the map for each image wanted"
[ "$(grep -oc '{--t:url(data:image/png' one/report.html)" -eq 150 ] || fail "each picture once wanted"
[ "$(grep -o 'm-\?[0-9]* -\?[0-9]*h0' one/report.html | wc -l)" -ge 140 ] || fail "a point for each image wanted"

# no map: nothing leads to it, and no picture is there for it alone
run cluster pixels data -o mapless --k 2 --map none; want_code 0
alone mapless/report.html
has_not mapless/report.html '#map"'
[ "$(grep -c '{--t:url(data:image/png' mapless/report.html)" -lt 120 ] || fail "pictures of pages alone wanted"

# several K: their tree, on the page of each
run cluster pixels data -o several --k 3,6; want_code 0
for k in 3 6; do
    alone several/k$k/report.html
    has several/k$k/report.html '<section id="tree">'
    has_not several/k$k/report.html 'id="training"'
    grep -oE 'href="\.\./[^"#]*#[^"]*"' several/k$k/report.html | sort -u | sed 's/href="\(.*\)"/\1/' >links
    [ "$(wc -l <links)" -eq $((9 - k)) ] || fail "$((9 - k)) links from k$k wanted, found $(wc -l <links)"
    while IFS='#' read -r file id; do has "several/k$k/$file" "id=\"$id\""; done <links
done

# and above them a page of the tree alone
has several/report.html '<section id="tree">'
grep -qiE 'https?:|<script' several/report.html && fail "a page that loads nothing wanted"
grep -oE 'href="[^"#]*#[^"]*"' several/report.html | sort -u | sed 's/href="\(.*\)"/\1/' >links
[ "$(wc -l <links)" -eq 9 ] || fail "9 links to clusters wanted"
while IFS='#' read -r file id; do has "several/$file" "id=\"$id\""; done <links

# written again: the same pages, and nothing else
cp -r one one-before; cp -r several several-before
for dir in one several; do
    run report $dir --json; want_code 0; want_json file "\"$dir/report.html\""
    diff -r -x .lock $dir $dir-before >difference || fail "$dir as before wanted: $(head -c 300 difference)"
done
rm one/report.html several/k3/report.html
run report one; want_code 0; want_err "see one/report.html"; run report several; want_code 0
diff -r -x .lock one one-before >difference && diff -r -x .lock several several-before >difference || fail "pages as before wanted: $(cat difference)"
mv data/ring elsewhere # with fewer images they would be other clusters
refused 3 "one/assignments.csv: other clusters come out now" report one
mv elsewhere data/ring
diff -r -x .lock one one-before >difference || fail "one as before wanted: $(cat difference)"
refused 2 "found data beside" report one data

# names are text, controls and bytes that are no UTF-8 too; a picture that cannot be read is left out
mkdir -p 'evil/<b>"&amp;' "evil/$(printf 'a\377\033[31m')"
n=0
find data -name '*.png' | head -24 | while read -r file; do
    n=$((n + 1))
    cp "$file" "evil/<b>\"&amp;/\"><script>alert($n)<.png"
    cp "$file" "evil/$(printf 'a\377\033[31m')/$(printf '\342\200\256%d\r\n\001.png' $n)"
done
printf x >'evil/<b>"&amp;/<style>.png'
run cluster pixels evil -o evilout --k 2; want_code 0
alone evilout/report.html
has evilout/report.html '&quot;&gt;&lt;script&gt;alert(24)&lt;.png'
has evilout/report.html '\xff\x1b[31m/\u{202e}'
has evilout/report.html '&lt;style&gt;.png'
has_not evilout/report.html '<b>"'
LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xff' evilout/report.html && fail "no controls wanted"
iconv -f UTF-8 -t UTF-8 evilout/report.html >/dev/null 2>&1 || fail "UTF-8 wanted"

# a model trained first has its training on the page
run cluster data -o first --epochs 1 --limit 40; want_code 0
has first/report.html '<section id="training">'
has first/report.html 'protea cluster data <span>-o</span> first'
finish
