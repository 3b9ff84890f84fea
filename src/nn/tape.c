/* A stack of byte records, each followed by its size. */
#include "nn/module.h"

#include <string.h>

struct protea_tape {
    unsigned char *bytes;
    size_t used, size;
};

protea_status protea_tape_new(protea_tape **out)
{
    return protea_new(out, 1, sizeof **out, "a tape");
}

void protea_tape_free(protea_tape *tape)
{
    if (tape == NULL)
        return;
    protea_free(tape->bytes);
    protea_free(tape);
}

protea_status protea_tape_push(protea_tape *tape, const void *record, size_t size)
{
    size_t needed = tape->used + size + sizeof size;
    if (needed > tape->size) {
        PROTEA_TRY(protea_grow(&tape->bytes, 2, needed, "a tape"));
        tape->size = 2 * needed;
    }
    memcpy(tape->bytes + tape->used, record, size);
    memcpy(tape->bytes + tape->used + size, &size, sizeof size);
    tape->used = needed;
    return PROTEA_OK;
}

protea_status protea_tape_pop(protea_tape *tape, void *record, size_t size)
{
    size_t pushed = 0;
    if (tape->used >= sizeof pushed)
        memcpy(&pushed, tape->bytes + tape->used - sizeof pushed, sizeof pushed);
    if (tape->used < sizeof pushed || pushed != size)
        return protea_fail(PROTEA_ERR_INTERNAL, "tape: a record of %zu bytes is wanted, the newest has %zu", size, pushed);
    tape->used -= size + sizeof size;
    memcpy(record, tape->bytes + tape->used, size);
    return PROTEA_OK;
}

void protea_tape_clear(protea_tape *tape)
{
    tape->used = 0;
}

bool protea_tape_is_empty(const protea_tape *tape)
{
    return tape->used == 0;
}
