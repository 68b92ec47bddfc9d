/* Hooks of run_all.c: all rows of all layers go to its output. */
#ifndef RUN_ALL_HOOKS_H
#define RUN_ALL_HOOKS_H

void on_row(unsigned layer, unsigned row, const unsigned char *data, unsigned cols,
            unsigned channels, unsigned stride_bytes);

#define S2C_ON_ROW(layer, row, data, cols, channels, stride_bytes) \
    on_row((unsigned)(layer), (unsigned)(row), (data), (cols), (channels), (stride_bytes))

#endif /* RUN_ALL_HOOKS_H */
