/* One line per method, alphabetical: X(NAME) stands for the table protea_method_NAME. */
#ifndef PROTEA_METHOD_METHOD_LIST_H
#define PROTEA_METHOD_METHOD_LIST_H

#include "method/method.h"

#define PROTEA_METHOD_LIST(X) \
    X(deepcluster_v2) \
    X(moco) \
    X(pcl) \
    X(simsiam) \
    X(supervised) \
    X(swav)

#define PROTEA_DECLARE_METHOD(name) extern const protea_method_ops protea_method_##name;
PROTEA_METHOD_LIST(PROTEA_DECLARE_METHOD)
#undef PROTEA_DECLARE_METHOD

#endif
