#include "api/result.h"

#include <errno.h>

static _Thread_local bool lost = false;

void protea_result_begin(void)
{
    lost = false;
}

bool protea_result_is_whole(void)
{
    return !lost;
}

/* A number that JSON does not know could not be made either; such a key is left out. */
static int note(int bad)
{
    lost |= bad != 0 && errno == ENOMEM;
    return bad;
}

int protea_result_set(json_t *object, const char *key, json_t *value)
{
    return note((json_object_set_new)(object, key, value));
}

int protea_result_append(json_t *list, json_t *value)
{
    return note((json_array_append_new)(list, value));
}
