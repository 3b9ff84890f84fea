/* One line per adapter, in the order of tables: what is compared with comes first. */
#define PROTEA_ADAPTER_LIST(X) \
    X(source) \
    X(bn)
