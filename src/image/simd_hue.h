/* The hue shift of simd_hue.c, one for each instruction set. Included only by simd_*.c. */
#ifndef PROTEA_IMAGE_SIMD_HUE_H
#define PROTEA_IMAGE_SIMD_HUE_H

#include <stddef.h>

#include "backend/cpu/simd.h"

void SIMD_NAME(protea_hue)(uint8_t *px, size_t n, uint8_t turn);

#endif
