/* All methods, by name. */
#include <string.h>

#include "base/status.h"
#include "method/method_list.h"

#define ENTRY(name) &protea_method_##name,
static const protea_method_ops *const METHODS[] = { PROTEA_METHOD_LIST(ENTRY) NULL };
#undef ENTRY

const protea_method_ops *const *protea_methods(void)
{
    return METHODS;
}

protea_status protea_method_find(const protea_method_ops **out, const char *name)
{
    const char *names[sizeof METHODS / sizeof METHODS[0]] = { NULL };
    *out = NULL;
    for (int i = 0; METHODS[i] != NULL; i++) {
        names[i] = METHODS[i]->name;
        if (strcmp(names[i], name) == 0)
            *out = METHODS[i];
    }
    if (*out != NULL)
        return PROTEA_OK;
    const char *nearest = protea_nearest(name, names);
    if (nearest == NULL)
        return protea_fail(PROTEA_ERR_USAGE, "%s: no such method; the first of those there are is %s", name, names[0]);
    return protea_fail(PROTEA_ERR_USAGE, "%s: no such method; the nearest is %s", name, nearest);
}
