/* Which library is running. */
#include <protea/version.h>

const char *protea_version(void)
{
    return PROTEA_VERSION;
}
