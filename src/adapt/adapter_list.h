/* One line per adapter, in the order of tables: what is compared with comes first. */
#define PROTEA_ADAPTER_LIST(X) \
    X(source) \
    X(bn) \
    X(bn_alpha) \
    X(tent) \
    X(pl) \
    X(plc) \
    X(shot_im) \
    X(t3a) \
    X(tsd) \
    X(eata) \
    X(sar) \
    X(lame)
