/* kernels.h: the matrix product and sums of rows on vectors, and softmax's loops. Each sum runs in
   its one order, so vectors of any width give the same bits. */
#ifndef KERNELS_H
#define KERNELS_H

#include "exact.h"

#include <stddef.h>

/* As many floats as this machine calculates with at a time, and how many registers it has for them.
   (gcc keeps wider vectors in memory, ten times as slow. Vectors of 16 pay on AMD's Zen 5, which
   has AVX-VNNI, not on Zen 4; clang halves them.) */
#if defined(__AVX512F__) && defined(__AVXVNNI__) && !defined(__clang__)
enum { LANES = 16 };
#elif defined(__AVX__)
enum { LANES = 8 };
#else
enum { LANES = 4 };
#endif
#if defined(__AVX512VL__) || defined(__aarch64__)
enum { REGISTERS = 32 };
#elif defined(__wasm__) /* of 16, browsers keep some for themselves: a tenth faster */
enum { REGISTERS = 12 };
#else
enum { REGISTERS = 16 };
#endif
typedef float Floats __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

/* The next multiple of LANES. */
static inline size_t padded(size_t count) { return (count + LANES - 1) / LANES * LANES; }

/* Element (i, j) is at[i * row + j * column]. */
typedef struct {
    float *at;
    size_t row, column;
} Matrix;

/* Sums of a tile, HIGH rows by WIDE vectors, fill three quarters of the registers. */
enum { WIDE = LANES > 8 ? 2 : (REGISTERS + 4) / 8, HIGH = REGISTERS * 3 / 4 / WIDE };

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* The tile that begins with element (i, j), kept in registers from the first k to the last. rows
   and vectors are constants at every call, so that compilers unroll the loops over them. */
ALWAYS_INLINE void matmul_tile(const size_t rows, const size_t vectors, size_t i, size_t j,
                               size_t depth, Matrix out, Matrix start, Matrix a, Matrix b) {
    Floats sum[HIGH][WIDE] = {{{0}}};
    for (size_t y = 0; start.at && y < rows; y++)
        for (size_t x = 0; x < vectors; x++)
            sum[y][x] = *(Floats *)(start.at + (i + y) * start.row + j + LANES * x);
    for (size_t k = 0; k < depth; k++)
        for (size_t y = 0; y < rows; y++) {
            float factor = a.at[(i + y) * a.row + k * a.column];
            for (size_t x = 0; x < vectors; x++)
                sum[y][x] += factor * *(Floats *)(b.at + k * b.row + j + LANES * x);
        }
    for (size_t y = 0; y < rows; y++)
        for (size_t x = 0; x < vectors; x++)
            *(Floats *)(out.at + (i + y) * out.row + j + LANES * x) = sum[y][x];
}

/* So many vectors of each row, from column j on. */
ALWAYS_INLINE void matmul_strip(size_t rows, const size_t vectors, size_t j, size_t depth,
                                Matrix out, Matrix start, Matrix a, Matrix b) {
    size_t i = 0;
    for (; i + HIGH <= rows; i += HIGH) matmul_tile(HIGH, vectors, i, j, depth, out, start, a, b);
    for (; i + 2 <= rows; i += 2) matmul_tile(2, vectors, i, j, depth, out, start, a, b);
    for (; i < rows; i++) matmul_tile(1, vectors, i, j, depth, out, start, a, b);
}

/* out [rows, columns] = start + a [rows, depth] b [depth, columns], each sum from k = 0 up. start
   may be out, have row 0 (all rows start alike), or have no memory (zeros). Columns of out, start
   and b are neighbours and count in whole vectors: with other numbers of columns, the rows of out
   need room for that, and the last rows of start and b are read as far. */
ALWAYS_INLINE void matmul(size_t rows, size_t columns, size_t depth, Matrix out, Matrix start,
                          Matrix a, Matrix b) {
    size_t j = 0, wide = WIDE * LANES, two = 2 * LANES;
    for (; j + wide <= columns; j += wide) matmul_strip(rows, WIDE, j, depth, out, start, a, b);
    for (; j + two <= columns; j += two) matmul_strip(rows, 2, j, depth, out, start, a, b);
    for (; j < columns; j += LANES) matmul_strip(rows, 1, j, depth, out, start, a, b);
}

/* The largest of values [100]: 20 chains, then 10, so that no comparison waits for many others. */
static inline float largest_of_100(const float *values) {
    float chain[20];
    for (size_t i = 0; i < 20; i++) chain[i] = values[i];
    for (size_t c = 20; c < 100; c += 20)
        for (size_t i = 0; i < 20; i++)
            chain[i] = values[c + i] > chain[i] ? values[c + i] : chain[i];
    for (size_t i = 0; i < 10; i++) chain[i] = chain[i + 10] > chain[i] ? chain[i + 10] : chain[i];
    for (size_t i = 1; i < 10; i++) chain[0] = chain[i] > chain[0] ? chain[i] : chain[0];
    return chain[0];
}

/* values [padded(100)] become exp(value - largest). What stands behind the 100 is no one's: it only
   makes whole vectors, for compilers would do a rest of 4 one by one. */
static inline void exponentials_of_100(float *values, float largest) {
    for (size_t c = 0; c < padded(100); c++) values[c] = exact_expf(values[c] - largest);
}

/* The sum of values [100], in the 20 chains of model.h's softmax. */
static inline float sum_of_100(const float *values) {
    float chain[20] = {0}, sum = 0;
    for (size_t c = 0; c < 100; c += 20)
        for (size_t i = 0; i < 20; i++) chain[i] += values[c + i];
    for (size_t i = 0; i < 20; i++) sum += chain[i];
    return sum;
}

/* So many vectors of sum_rows, kept in registers from the first row to the last. */
ALWAYS_INLINE void sum_strip(const size_t vectors, const float *table, size_t dim,
                             const uint32_t *indices, size_t n, float *sum) {
    Floats total[WIDE] = {{0}};
    for (size_t i = 0; i < n; i++)
        for (size_t x = 0; x < vectors; x++)
            total[x] += *(const Floats *)(table + indices[i] * dim + LANES * x);
    for (size_t x = 0; x < vectors; x++) *(Floats *)(sum + LANES * x) = total[x];
}

/* sum [dim] = the sum of the rows indices [n] of a table [rows, dim], added in this order as by
   embedding_forward. */
static inline void sum_rows(const float *table, size_t dim, const uint32_t *indices, size_t n,
                            float *sum) {
    size_t d = 0, wide = WIDE * LANES;
    for (; d + wide <= dim; d += wide) sum_strip(WIDE, table + d, dim, indices, n, sum + d);
    for (; d + LANES <= dim; d += LANES) sum_strip(1, table + d, dim, indices, n, sum + d);
    for (; d < dim; d++) {
        float total = 0;
        for (size_t i = 0; i < n; i++) total += table[indices[i] * dim + d];
        sum[d] = total;
    }
}

/* Asks for a row [dim] that will be needed, for the second-level cache. (Inlined by force: gcc
   takes a function that does nothing else for one without effect, and drops the call.) */
ALWAYS_INLINE void prefetch_row(const float *row, size_t dim) {
    for (size_t d = 0; d < dim; d += 16) __builtin_prefetch(row + d, 0, 2);
}

#endif
