#!/bin/sh
# House style that a script can hold: no tabs, no trailing blanks, a final newline, lines of at most 132 characters (but for
# those that are one text), nothing that is banned, no leftovers.
set -u
cd "$(dirname "$0")/.." || exit 2
export LC_ALL=C.UTF-8

files() { git ls-files -co --exclude-standard -- "$@" | while read -r file; do [ ! -f "$file" ] || echo "$file"; done; }
code=$(files '*.c' '*.h' '*.inc')
text="$code $(files '*.sh' '*.py' '*.md' '*.yaml' '*.txt' '*.cmake' .ci/run)"

# shellcheck disable=SC2086
report=$(
    grep -nP '\t' $text | sed 's/^/tab: /'
    grep -nP '[ \t]+$' $text | sed 's/^/trailing blank: /'
    for file in $text; do [ -z "$(tail -c 1 "$file")" ] || echo "no final newline: $file"; done
    awk 'length > 132 && !/^ *"/ { print "long line: " FILENAME ":" FNR ": " length " characters" }' $code
    grep -nP '\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|atof|rand|srand) *\(' $code | sed 's/^/banned: /'
    grep -nwE 'TODO|FIXME|XXX|HACK' $code | sed 's/^/leftover: /'
)
[ -z "$report" ] || { printf '%s\n' "$report"; exit 1; }
echo "style: good"
