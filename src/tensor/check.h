/* What the checked operations check with. All fail with PROTEA_ERR_INTERNAL and the shapes found. */
#ifndef PROTEA_TENSOR_CHECK_H
#define PROTEA_TENSOR_CHECK_H

#include "tensor/context.h"

/* "bf16 native (512,64,32,32)" */
enum { PROTEA_SHAPE_TEXT = 128 };
char *protea_shape_text(char out[static PROTEA_SHAPE_TEXT], const protea_tensor *t);

/* Same shape, dtype and layout. */
protea_status protea_check_same(const char *op, const protea_tensor *a, const protea_tensor *b);
protea_status protea_check_native(const char *op, const protea_tensor *t);
/* Plain f32 with n_dims dimensions; wanted[i] of 0 stands for any. */
protea_status protea_check_plain(const char *op, const char *name, const protea_tensor *t, int n_dims, const int64_t *wanted);

#endif
