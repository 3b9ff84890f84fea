/* C++'s new and delete with some room behind each block, for builds with AddressSanitizer only. oneDNN 2.6 reads one entry past
 * a table of its own while it generates AMX convolutions (brgconv) and never uses what it read. On glibc's heap that is another
 * block's memory; a sanitizer's heap may end there. */
#include <stdlib.h>

enum { ROOM = 64 };

void *_Znwm(size_t bytes);
void _ZdlPv(void *block);
void _ZdlPvm(void *block, size_t bytes);

void *_Znwm(size_t bytes)
{
    void *block = malloc(bytes + ROOM);
    if (block == NULL)
        abort();
    return block;
}

void _ZdlPv(void *block)
{
    free(block);
}

void _ZdlPvm(void *block, size_t bytes)
{
    (void)bytes;
    free(block);
}
