/* kernels.h: the matrix product, on vectors. + and * on vectors give the same bits whatever their
   width, and each sum runs in its one order, so the width is the machine's affair. */
#ifndef KERNELS_H
#define KERNELS_H

#include <stddef.h>

/* As many floats as this machine calculates with at a time, and how many registers it has for them.
   (gcc keeps vectors that are wider than its registers in memory, ten times as slow. Vectors of 16
   are 1.25 times as fast on AMD's Zen 5, not on Zen 4, which halves them again; AVX-VNNI tells the
   newer ones from the older. clang may halve them itself.) */
#if defined(__AVX512F__) && defined(__AVXVNNI__) && !defined(__clang__)
enum { LANES = 16 };
#elif defined(__AVX__)
enum { LANES = 8 };
#else
enum { LANES = 4 };
#endif
#if defined(__AVX512VL__) || defined(__aarch64__)
enum { REGISTERS = 32 };
#else
enum { REGISTERS = 16 };
#endif
typedef float Floats __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

/* The next multiple of LANES. */
static inline size_t padded(size_t count) { return (count + LANES - 1) / LANES * LANES; }

/* out [rows, columns] = start + a [rows, depth] b [depth, columns], each sum from k = 0 up.
   Element (i, k) of a is a[i * a_row + k * a_column]; rows of b and out are b_row and out_row floats
   apart; start [columns] is what each row starts with, NULL: zeros. columns counts in whole vectors:
   with other numbers of columns, out's rows need room for that, and b's last row can be read as far. */
typedef struct {
    size_t rows, columns, depth;
    const float *a, *b, *start;
    size_t a_row, a_column, b_row, out_row;
    float *out;
} Matmul;

/* Sums of a tile, HIGH rows by WIDE vectors, fill three quarters of the registers. */
enum { WIDE = LANES > 8 ? 2 : REGISTERS / 8, HIGH = REGISTERS * 3 / 4 / WIDE };

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* One tile, from row i and column j on, kept in registers from the first k to the last. rows and
   vectors are constants at every call, so that compilers unroll the loops over them. */
ALWAYS_INLINE void matmul_tile(const Matmul *m, const size_t rows, const size_t vectors, size_t i,
                               size_t j) {
    const float *a = m->a + i * m->a_row, *b = m->b + j;
    float *out = m->out + i * m->out_row + j;
    Floats sum[HIGH][WIDE] = {{{0}}};
    for (size_t y = 0; m->start && y < rows; y++)
        for (size_t x = 0; x < vectors; x++)
            sum[y][x] = *(const Floats *)(m->start + j + LANES * x);
    for (size_t k = 0; k < m->depth; k++)
        for (size_t y = 0; y < rows; y++) {
            float factor = a[y * m->a_row + k * m->a_column];
            for (size_t x = 0; x < vectors; x++)
                sum[y][x] += factor * *(const Floats *)(b + k * m->b_row + LANES * x);
        }
    for (size_t y = 0; y < rows; y++)
        for (size_t x = 0; x < vectors; x++)
            *(Floats *)(out + y * m->out_row + LANES * x) = sum[y][x];
}

/* So many vectors of all rows. */
ALWAYS_INLINE void matmul_strip(const Matmul *m, const size_t vectors, size_t j) {
    size_t i = 0;
    for (; i + HIGH <= m->rows; i += HIGH) matmul_tile(m, HIGH, vectors, i, j);
    for (; i + 2 <= m->rows; i += 2) matmul_tile(m, 2, vectors, i, j);
    for (; i < m->rows; i++) matmul_tile(m, 1, vectors, i, j);
}

ALWAYS_INLINE void matmul(const Matmul *m) {
    size_t j = 0;
    for (; j + WIDE * LANES <= m->columns; j += WIDE * LANES) matmul_strip(m, WIDE, j);
    for (; j + 2 * LANES <= m->columns; j += 2 * LANES) matmul_strip(m, 2, j);
    for (; j < m->columns; j += LANES) matmul_strip(m, 1, j);
}

/* Asks for a row [dim] that will be needed, for the second-level cache. (Inlined by force: gcc
   takes a function that does nothing else for one without effect, and drops the call.) */
ALWAYS_INLINE void prefetch_row(const float *row, size_t dim) {
    for (size_t d = 0; d < dim; d += 16) __builtin_prefetch(row + d, 0, 2);
}

#endif
