/* One line per method, alphabetical. */
#define PROTEA_METHOD_LIST(X) \
    X(swav)
