#!/bin/sh
# Manual pages and shell completion come from the option tables, so the command itself writes them.
# Usage: tools/install_manuals.sh PROTEA MANDIR DATADIR
set -eu
protea=$1 man=$2/man1 data=$3
mkdir -p "$man" "$data/bash-completion/completions" "$data/zsh/site-functions" "$data/fish/vendor_completions.d"
"$protea" --manual >"$man/protea.1"
for verb in $("$protea" --help | sed -n 's/^  protea \([a-z]*\) .*/\1/p' | sort -u); do
    "$protea" --manual "$verb" >"$man/protea-$verb.1"
done
"$protea" --completion bash >"$data/bash-completion/completions/protea"
"$protea" --completion zsh >"$data/zsh/site-functions/_protea"
"$protea" --completion fish >"$data/fish/vendor_completions.d/protea.fish"
