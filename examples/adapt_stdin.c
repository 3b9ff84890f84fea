/* Classifies frames from standard input and adapts to them: a line a frame, its class, probability and entropy.
 *
 *     example_adapt_stdin MODEL [ALGORITHM [WIDTH HEIGHT]] <frames
 *
 * Frames are PPM images (P6) one after the other or, with a size, raw RGB: `ffmpeg -i VIDEO -f rawvideo -pix_fmt rgb24 -`.
 * The guard is on; what was learnt is written to adapted.safetensors.
 * Build: cc adapt_stdin.c $(pkg-config --cflags --libs protea) */
#include <stdio.h>
#include <stdlib.h>

#include <protea/protea.h>

enum { MOST_PIXELS = 64 << 20 };

static void show_line(void *cookie, protea_log_level level, const char *line)
{
    (void)cookie;
    fprintf(stderr, "%s%s\n", level == PROTEA_LOG_WARN ? "warning: " : "", line);
}

/* The header of a PPM image. 0 at the end of input or where it is none. */
static int read_size(protea_frame *f)
{
    int most = 0;
    return scanf("P6 %d %d %d", &f->width, &f->height, &most) == 3 && most == 255 && getchar() != EOF;
}

/* The next frame into *pixels, which grows; given: raw frames of the size in f. */
static int read_frame(protea_frame *f, unsigned char **pixels, int given)
{
    if (!given && !read_size(f))
        return 0;
    if (f->width < 1 || f->height < 1 || f->width > MOST_PIXELS / f->height)
        return 0;
    size_t bytes = 3 * (size_t)f->width * (size_t)f->height;
    unsigned char *grown = realloc(*pixels, bytes);
    if (grown == NULL)
        return 0;
    f->rgb = *pixels = grown;
    return fread(*pixels, 1, bytes, stdin) == bytes;
}

static protea_status classify(protea_adaptation *a, protea_frame frame)
{
    const int given = frame.width > 0;
    unsigned char *pixels = NULL;
    protea_status status = PROTEA_OK;
    for (long n = 0; status == PROTEA_OK && read_frame(&frame, &pixels, given); n++) {
        protea_prediction p;
        status = protea_adaptation_adapt(a, &frame, 1, &p);
        if (status == PROTEA_OK)
            printf("%ld\t%s\t%.3f\t%.3f\n", n, protea_adaptation_class(a, p.label), (double)p.probability, (double)p.entropy);
    }
    free(pixels);
    return status;
}

int main(int argc, char **argv)
{
    const protea_hooks hooks = { .log = show_line };
    protea_frame frame = { .rgb = NULL };
    protea_adaptation *a = NULL;
    protea_adaptation_status status;
    if (argc != 2 && argc != 3 && argc != 5) {
        fprintf(stderr, "usage: %s MODEL [ALGORITHM [WIDTH HEIGHT]] <frames\n", argv[0]);
        return PROTEA_ERR_USAGE;
    }
    if (argc == 5) {
        frame.width = (int)strtol(argv[3], NULL, 10);
        frame.height = (int)strtol(argv[4], NULL, 10);
    }
    protea_status done = protea_adaptation_new(&a, argc > 2 ? argv[2] : "tent");
    if (done == PROTEA_OK)
        done = protea_options_set(protea_adaptation_options(a), "batch_size", "32", PROTEA_FROM_FLAG);
    if (done == PROTEA_OK)
        done = protea_options_set(protea_adaptation_options(a), "guard", "true", PROTEA_FROM_FLAG);
    if (done == PROTEA_OK)
        done = protea_adaptation_open(a, argv[1], &hooks);
    if (done == PROTEA_OK)
        done = classify(a, frame);
    if (done == PROTEA_OK)
        done = protea_adaptation_save_model(a, "adapted.safetensors");
    if (done == PROTEA_OK) {
        protea_adaptation_ask(a, &status);
        fprintf(stderr, "%lld frames, %lld updates, %lld rollbacks\n", (long long)status.images, (long long)status.updates,
                (long long)status.rollbacks);
    } else
        fprintf(stderr, "%s\n", protea_last_error());
    protea_adaptation_free(a);
    return (int)done;
}
