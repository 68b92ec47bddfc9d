/* Hooks of nested.c. */
#ifndef NESTED_HOOKS_H
#define NESTED_HOOKS_H

void interrupt(void);

#define S2C_ON_LAYER_BEGIN(layer) ((void)(layer), interrupt())
#define S2C_ON_LAYER_END(layer) ((void)(layer), interrupt())
#define S2C_ON_ROW(layer, row, data, cols, channels, stride_bytes)                       \
    ((void)(layer), (void)(row), (void)(data), (void)(cols), (void)(channels),           \
     (void)(stride_bytes), interrupt())

#endif /* NESTED_HOOKS_H */
