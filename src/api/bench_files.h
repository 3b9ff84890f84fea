/* JPEG files for a bench and its peer, in a folder of their own that goes when the bench ends. */
#ifndef PROTEA_API_BENCH_FILES_H
#define PROTEA_API_BENCH_FILES_H

#include "image/image.h"

enum { PROTEA_BENCH_PATH = 96 };

typedef struct protea_bench_files {
    char folder[64];            /* empty before it is made */
} protea_bench_files;

/* Errors: PROTEA_ERR_IO where /tmp takes no folder. */
protea_status protea_bench_files_open(protea_bench_files *f);
/* folder/stem-NNN.ext */
void protea_bench_file_path(char out[static PROTEA_BENCH_PATH], const protea_bench_files *f, const char *stem, int i,
                            const char *ext);

/* Paints picture i, whose room is there. */
typedef void (*protea_bench_paint)(protea_image *image, int i);
/* n pictures of side x side pixels as stem-NNN.jpg; painted in parallel. */
protea_status protea_bench_files_write(const protea_bench_files *f, const char *stem, int n, int side, int quality,
                                       protea_bench_paint paint);
/* Shapes of synth:shapes: as many bytes as a photo that is a little soft. */
void protea_bench_paint_shapes(protea_image *image, int i);
/* Everything in the folder, and the folder. */
void protea_bench_files_remove(const protea_bench_files *f);

/* Files in memory. */
typedef struct protea_bench_blobs {
    uint8_t **bytes;            /* (n) owned */
    size_t *len;                /* (n) owned */
    int n;
} protea_bench_blobs;
/* stem-000.jpg .. of f. b: zeroed. */
protea_status protea_bench_blobs_read(protea_bench_blobs *b, const protea_bench_files *f, const char *stem, int n);
void protea_bench_blobs_release(protea_bench_blobs *b);

#endif
