/* What the kinds of image sinks share. */
#ifndef PROTEA_API_IMAGE_SINK_KIND_H
#define PROTEA_API_IMAGE_SINK_KIND_H

#include "api/image_sink.h"
#include "base/file.h"

typedef struct protea_image_sink_ops {
    bool encodes;   /* files hold PNG */
    protea_status (*open)(protea_image_sink *sink);
    /* name: path under the sink of the picture's file. */
    protea_status (*put)(protea_image_sink *sink, int64_t i, const char *name, const protea_image *image, const uint8_t *bytes,
                         size_t len);
    protea_status (*close)(protea_image_sink *sink, bool whole); /* frees self; also after a failed opening */
} protea_image_sink_ops;

struct protea_image_sink {
    const protea_image_sink_ops *ops;
    const protea_source *source;
    char *path;
    char folder[64];
    void *self;      /* of the kind */
};

extern const protea_image_sink_ops protea_image_sink_folders, protea_image_sink_tar, protea_image_sink_npy;

#endif
