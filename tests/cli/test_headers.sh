# Proves: every public header compiles alone as C11 and C++, a program in C links against the shared library, and that
# library exports nothing but protea_ names.
. "$(dirname "$0")/harness.sh"
root=$(realpath "$OLDPWD/$(dirname "$0")/../.." 2>/dev/null || realpath "$(dirname "$0")/../..")
library=$(dirname "$protea")/libprotea.so
last="headers"

for header in "$root"/include/protea/*.h; do
    name=protea/$(basename "$header")
    echo "#include <$name>" >one.c
    cc -std=c11 -Wall -Wextra -pedantic -Werror -I "$root/include" -fsyntax-only one.c >out 2>err || fail "$name is C11"
    if command -v c++ >/dev/null; then
        c++ -x c++ -Wall -Wextra -pedantic -Werror -I "$root/include" -fsyntax-only one.c >out 2>err || fail "$name is C++"
    fi
done

nm -D "$library" | grep -q __asan_init && { finish; exit; } # a build with sanitizers: programs would have to be, too
others=$(nm -D --defined-only "$library" | awk '$2 ~ /[A-Z]/ && $3 !~ /^protea_/ { print $3 }')
[ -z "$others" ] || fail "exported beside protea_ names: $others"

cat >use.c <<'C'
#include <protea/protea.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
    const char *data[] = { "synth:shapes,n=20" };
    char *json = NULL;
    protea_job *job = NULL;
    if (strcmp(protea_version(), PROTEA_VERSION) != 0 || protea_job_new(&job, "inspekt", NULL) != PROTEA_ERR_USAGE)
        return 10;
    if (protea_job_new(&job, "inspect", NULL) != PROTEA_OK)
        return 11;
    protea_status status = protea_job_run(job, data, 1, NULL, NULL, &json);
    puts(json ? json : protea_last_error());
    free(json);
    protea_job_free(job);
    return status;
}
C
last="a program in C"
if cc -std=c11 -Wall -Wextra -Werror -I "$root/include" use.c -L "$(dirname "$library")" -lprotea -o use >out 2>err; then
    LD_LIBRARY_PATH=$(dirname "$library") ./use >out 2>err || fail "exit code 0 wanted"
    grep -qF '"n": 20' out || fail "20 images wanted"
else
    fail "it compiles and links"
fi
finish
