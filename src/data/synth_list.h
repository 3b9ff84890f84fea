/* The generated data sets: adding one is a file synth_NAME.c and a line here. */
#ifndef PROTEA_DATA_SYNTH_LIST_H
#define PROTEA_DATA_SYNTH_LIST_H

#define PROTEA_SYNTH_LIST(X) \
    X(shapes)                \
    X(scenes)

#endif
