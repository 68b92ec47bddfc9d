/*
 * Hooks around the layers of a generated model; see docs/output-format.md.
 *
 * Compile the model with S2C_HOOKS_HEADER naming your header, quotes included
 * (-DS2C_HOOKS_HEADER='"my_hooks.h"'), and define there the hooks you want. The
 * others stay empty: sizeof uses their arguments without evaluating them.
 */
#ifndef S2C_HOOKS_H
#define S2C_HOOKS_H

#ifdef S2C_HOOKS_HEADER
#include S2C_HOOKS_HEADER
#endif

/* Before and after the work of layer `layer`. */
#ifndef S2C_ON_LAYER_BEGIN
#define S2C_ON_LAYER_BEGIN(layer) ((void)sizeof(layer))
#endif
#ifndef S2C_ON_LAYER_END
#define S2C_ON_LAYER_END(layer) ((void)sizeof(layer))
#endif

/* Output row `row` of `layer` is complete: `cols` pixels of `channels` bytes, `stride_bytes` apart. */
#ifndef S2C_ON_ROW
#define S2C_ON_ROW(layer, row, data, cols, channels, stride_bytes)                 \
    ((void)sizeof(layer), (void)sizeof(row), (void)sizeof(data), (void)sizeof(cols), \
     (void)sizeof(channels), (void)sizeof(stride_bytes))
#endif

#endif /* S2C_HOOKS_H */
